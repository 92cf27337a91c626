package offset

// A resolution is the unit in ns that all times of a side are multiples of: 1000 where a file keeps microseconds.
type resolution int64

// unlimited is the resolution of no times.
const unlimited resolution = 1e9

// with is the resolution when a time is added.
func (r resolution) with(at int64) resolution {
	for at%int64(r) != 0 {
		r /= 10
	}
	return r
}

// lost is by how much a time may be earlier than what it was cut from, in ns.
func (r resolution) lost() float64 { return float64(r - 1) }
