package live

import (
	"math"
	"strconv"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// What is kept of the throughput: the last slots, each slotWidth ns long.
const (
	slots     = 4096
	slotWidth = int64(100e6)
)

// bins are the migration's bytes at the switch, towards the destination.
//
// A capture keeps its newest bins until frames come after them, and then tells them in order; it tells no empty ones. So a time is known
// once a later bin was told: what had none until then was empty. What is later than the newest bin is not known until the
// capture ends.
type bins struct {
	bytes  [slots]float64
	newest int64 // the slot of the newest bin; the ring holds it and those before
	begun  bool
	from   int64 // the capture was live then, ns; 0 is not known
	until  int64 // all before is told, ns
	failed bool  // the capture could not go on
	bin    string
	width  int64
}

// live says that the capture told of something at that time.
func (b *bins) live(at int64) {
	if b.from == 0 || at < b.from {
		b.from = at
	}
}

// over says that the capture ended, and told all until then.
func (b *bins) over(at int64) {
	if b.from != 0 && !b.failed {
		b.until = max(b.until, at)
	}
}

func (t *trial) flowBytes(r *results.Record, at int64) {
	if r.Source != results.SourceCaptureSwitch {
		return
	}
	t.flow.live(at)
	if r.Attrs["flow"] != results.FlowMigration || r.Attrs["dir"] != "forward" || r.Value < 0 {
		return
	}
	b := &t.flow
	if w := r.Attrs["bin"]; w != b.bin {
		s, err := strconv.ParseFloat(w, 64)
		if err != nil || !(s > 0 && s <= seconds(slotWidth)) {
			return
		}
		b.bin, b.width = w, int64(math.Round(s*1e9))
	}
	b.put(floor(at, slotWidth), r.Value)
	b.until = max(b.until, at+b.width)
}

func (b *bins) put(slot int64, v float64) {
	switch {
	case !b.begun:
		b.begun, b.newest = true, slot
	case slot <= b.newest-slots:
		return
	case slot-b.newest >= slots:
		b.bytes, b.newest = [slots]float64{}, slot
	}
	for b.newest < slot {
		b.newest++
		b.bytes[index(b.newest)] = 0
	}
	b.bytes[index(slot)] += v
}

func index(slot int64) int64 { return ((slot % slots) + slots) % slots }

func floor(at, width int64) int64 {
	n := at / width
	if at%width < 0 {
		n--
	}
	return n
}

// last is the throughput of the last n bars up to now, each so many slots wide, in B/s. A bar is unknown unless the capture told all of it.
func (b *bins) last(n int, wide int64, now int64) []quantity.Quantity {
	list := make([]quantity.Quantity, n)
	end := floor(now, slotWidth*wide) // bars stand still while time goes on
	for i := range list {
		bar := end - int64(n-1-i)
		list[i] = b.rate(bar*wide, wide)
	}
	return list
}

func (b *bins) rate(from, wide int64) quantity.Quantity {
	to := from + wide
	if !b.begun || b.from == 0 || from*slotWidth < b.from || to*slotWidth > b.until || from <= b.newest-slots {
		return quantity.Unknown(results.BytesPerSecond, "the capture at the switch has not told of it")
	}
	var sum float64
	for s := from; s < to; s++ {
		if s <= b.newest {
			sum += b.bytes[index(s)]
		}
	}
	return quantity.Exactly(sum/seconds(wide*slotWidth), results.BytesPerSecond)
}

// throughput is that of the newest second that is wholly told.
func (b *bins) throughput() quantity.Quantity {
	const second = int64(1e9) / slotWidth
	if b.until == 0 {
		return quantity.Unknown(results.BytesPerSecond, "the capture at the switch has not told of the migration")
	}
	return b.rate(floor(b.until, slotWidth)-second, second)
}
