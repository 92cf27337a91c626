package tcp

// Sequence numbers are 32 bits wide, so a packet's place in the stream is known modulo 2^32 only. No window is wider
// than 1 GiB (RFC 7323, section 2.3): what is further away than that from the next byte is foreign.
const (
	maxWindow = 1 << 30

	// After a hole of more than 1 GiB in the capture all is foreign. So many segments in a row that continue each other are
	// taken as the stream itself, and the hole as its length modulo 2^32; the segments before the last of them are in it.
	foreignRun = 16

	// After a hole of 3 GiB up to 4 GiB, what follows looks as if it were sent again. A run of so many bytes (B) that are all
	// old is taken as the stream: no sender repeats that much, as it repeats no more than one window.
	wrapRun = 64 << 20

	// runStep is how far (B) a segment of a run may be from the end of the one before.
	runStep = 1 << 20
)

// A run is segments that continue each other at an unexpected place.
type run struct {
	next     uint32 // sequence number behind them
	segments int
	length   int64 // B
	at       Stamp // of the first
}

// jumped adds a segment to the run, or begins a run with it. It reports whether the run has so many segments and bytes.
func (d *half) jumped(seq uint32, n int64, at Stamp, segments int, length int64) bool {
	r := &d.run
	step := int64(int32(seq - r.next))
	if r.segments == 0 || step > runStep || step < -runStep {
		*r = run{next: seq + uint32(n), segments: 1, length: n, at: at}
		return false
	}
	if advance := step + n; advance > 0 {
		r.segments++
		r.length += advance
		r.next += uint32(advance)
	}
	// Old bytes in an old packet are a capture that was appended to another, not a hole.
	return r.segments >= segments && r.length >= length && r.at.Time > d.stats.LastData.Time
}

// jump gives up all bytes up to seq, as if it lay ahead in the stream, and returns how far ahead it is then: 0, unless pieces that
// waited went further.
func (d *half) jump(seq uint32, at Stamp) int64 {
	target := d.next + int64(seq-d.expected())
	d.doubt.on, d.run = false, run{}
	d.reach(target, at)
	return target - d.next
}
