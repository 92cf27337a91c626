package shape

import "math"

// volumeBins bounds the memory of a volume; a bin is 1 ms long for the first 16 s, and doubles whenever they are used up.
const volumeBins = 1 << 14

// A volume is how many forward bytes passed until when.
type volume struct {
	begin int64 // ns
	width int64 // ns of a bin
	bins  []int64
	total int64
}

func (v *volume) add(at, n int64) {
	if v.width == 0 {
		v.width = 1e6
	}
	since := max(0, at-v.begin)
	if at > 0 && v.begin < 0 && since < at { // overflow: no clock spans so much
		since = math.MaxInt64
	}
	for since/v.width >= volumeBins {
		v.fold()
	}
	bin := int(since / v.width)
	for len(v.bins) <= bin {
		v.bins = append(v.bins, 0)
	}
	v.bins[bin] += n
	v.total += n
}

// fold makes bins twice as long.
func (v *volume) fold() {
	for i := range v.bins {
		if i%2 == 0 {
			v.bins[i/2] = v.bins[i]
		} else {
			v.bins[i/2] += v.bins[i]
		}
	}
	v.bins = v.bins[:(len(v.bins)+1)/2]
	v.width *= 2
}

// until is how many bytes passed before at, at least and at most.
func (v *volume) until(at int64) (least, most int64) {
	if v.width == 0 || at < v.begin {
		return 0, 0
	}
	bin := (at - v.begin) / v.width
	for i, n := range v.bins {
		if int64(i) < bin {
			least += n
		}
		if int64(i) <= bin {
			most += n
		}
	}
	return least, most
}

// within is how many bytes passed from an instant on and before another, at least and at most.
func (v *volume) within(from, to bounds) (least, most int64) {
	_, a := v.until(from.latest.Time)
	b, _ := v.until(to.earliest.Time)
	least = max(0, b-a)
	a, _ = v.until(from.earliest.Time)
	_, b = v.until(to.latest.Time)
	return least, max(0, b-a)
}
