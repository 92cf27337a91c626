package wire

import (
	"strconv"
	"virtscope/results"
)

const (
	mostBins = 4096
	firstBin = 1e6 // ns
)

// Bins sum bytes over time. When there are too many, neighbours are joined: the memory is bounded, and the resolution is as
// good as it can be.
type bins struct {
	width int64 // ns
	start int64 // of the first
	sums  []int64
	at    int // the bin of the last bytes, which ends at until
	from  int64
	until int64
}

func (b *bins) add(at, n int64) {
	if at < b.until && at >= b.from {
		b.sums[b.at] += n
		return
	}
	if b.width == 0 {
		b.width, b.start = firstBin, at-at%firstBin
	}
	if at < b.start {
		at = b.start // packets of several captures may be out of order by a little
	}
	i := (at - b.start) / b.width
	for i >= mostBins {
		b.halve()
		i = (at - b.start) / b.width
	}
	for int64(len(b.sums)) <= i {
		b.sums = append(b.sums, 0)
	}
	b.sums[i] += n
	b.at, b.from = int(i), b.start+i*b.width
	b.until = b.from + b.width
}

func (b *bins) halve() {
	half := b.sums[:0]
	for i := 0; i < len(b.sums); i += 2 {
		sum := b.sums[i]
		if i+1 < len(b.sums) {
			sum += b.sums[i+1]
		}
		half = append(half, sum)
	}
	b.sums = half
	b.width *= 2
}

// record gives every bin that is not empty.
func (b *bins) record(emit func(results.Record)) {
	width := strconv.FormatFloat(float64(b.width)/1e9, 'g', -1, 64)
	for i, sum := range b.sums {
		if sum == 0 {
			continue
		}
		emit(results.Record{
			Time: b.start + int64(i)*b.width, Name: results.WireBytes, Value: float64(sum), Unit: results.Bytes,
			Attrs: map[string]string{"bin": width, "kind": "stream"},
		})
	}
}
