package live

import (
	"math"
	"virtscope/analysis/edges"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A Round is a pre-copy round for reading. Counters are the hypervisor's: what it sent, it handed to its socket, and not yet the link.
type Round struct {
	N        int               `json:"n"`        // as the hypervisor counts, from 1
	Duration quantity.Quantity `json:"duration"` // s; of the one under way, at least
	Sent     quantity.Quantity `json:"sent"`     // B; of the one under way, at least
	Pages    quantity.Quantity `json:"pages"`    // pages that were sent whole
	Rate     quantity.Quantity `json:"rate"`     // B/s: sent over duration; of the one under way, between two answers
	Dirty    quantity.Quantity `json:"dirty"`    // B/s: what the hypervisor says at its end that the guest dirtied
}

const untold = "the hypervisor has not told"

// A reader derives rounds from what was told until now, as a timeline does.
type reader struct {
	*rounds
	stop   *edges.Edge // of the guest; nil if it did not
	ending *edges.Edge // what broke the migration off; nil if nothing did
	sent   int64       // after that the source sends no more of memory; 0 is not told
	link   float64     // B/s that the migration may use; 0 is not known
	closed bool        // nothing more is to come
}

// reader is what there is to read by.
func (t *trial) reader() reader {
	r := reader{rounds: &t.rounds, closed: t.closed()}
	r.stop, _ = t.switches.pair()
	if t.link != nil {
		r.link = t.link.least()
	}
	r.ending = t.course.ending()
	if n := len(r.passes); n > 0 {
		r.sent = t.sent(r.passes[n-1].begin.Time)
	}
	return r
}

// show lists the rounds that are kept.
func (r reader) show() []Round {
	list := []Round{}
	for i, p := range r.passes {
		if r.stop != nil && p.begin.Time >= r.stop.Time {
			break // it opens no round
		}
		list = append(list, r.row(i))
	}
	return list
}

// row is the round that begins with the i-th pass.
func (r reader) row(i int) Round {
	p, out := r.passes[i], Round{N: r.passes[i].n}
	end := r.stop
	if end == nil {
		end = r.ending
	}
	if i+1 < len(r.passes) && (r.stop == nil || r.passes[i+1].begin.Time < r.stop.Time) {
		end = &r.passes[i+1].begin
	}
	if end == nil {
		return r.underWay(p)
	}
	out.Duration = edges.Between(p.begin, *end)
	out.Sent = r.grown(i, *end, ofSent, max(r.bytes.fastest, r.link), results.Bytes)
	out.Pages = r.grown(i, *end, ofPages, r.pages.fastest, results.One)
	out.Rate = quantity.Rate(out.Sent, out.Duration, results.BytesPerSecond)
	out.Dirty = r.dirty(i)
	return out
}

// underWay is a round of which no end is told. Events come a moment behind answers that are younger: what is sure to be of this
// round is what had been told when the last answer was asked for.
func (r reader) underWay(p pass) Round {
	why := "it goes on"
	if r.closed {
		why = "no end of it was told"
	}
	const early = "it has just begun"
	out := Round{
		N: p.n, Duration: quantity.Unknown(results.Seconds, early), Sent: quantity.Unknown(results.Bytes, early), Pages: quantity.Unknown(results.One, early),
		Rate: quantity.Unknown(results.BytesPerSecond, early), Dirty: quantity.Unknown(results.BytesPerSecond, "the hypervisor tells at the round's end"),
	}
	if d := r.before.at - p.begin.Time; d > 0 {
		out.Duration = quantity.AtLeast(seconds(d), results.Seconds, why)
	}
	if p.start.at == 0 || r.before.at <= p.start.at {
		return out
	}
	out.Sent = atLeast(r.before.sent-p.start.sent, results.Bytes, why)
	out.Pages = atLeast(r.before.pages-p.start.pages, results.One, why)
	out.Rate = r.between(p)
	return out
}

// between is what was sent per second between the answer for a pass and the one before the last. Either tells of some instant between
// when it was asked for and its arrival; the later one was asked for after the pass's had come.
func (r reader) between(p pass) quantity.Quantity {
	const u = results.BytesPerSecond
	v := r.before.sent - p.start.sent
	least, most := seconds(r.asked-p.start.at), seconds(r.before.at-p.begin.Time)
	switch {
	case math.IsNaN(v) || v < 0:
		return quantity.Unknown(u, untold)
	case least <= 0:
		return quantity.Unknown(u, "it has just begun")
	}
	return quantity.Within(v/seconds(r.before.at-p.start.at), v/most, v/least, u)
}

func atLeast(v float64, u results.Unit, why string) quantity.Quantity {
	if math.IsNaN(v) || v < 0 {
		return quantity.Unknown(u, untold)
	}
	return quantity.AtLeast(v, u, why)
}

// lateShare is by how much of a round's length the hypervisor's answers for it may be late: with more, its counters tell nothing of it.
const lateShare = 0.1

// grown is how much a counter grew in the round that begins with the i-th pass, where it grows by at most fastest per second. Its
// bounds hold what may have been counted between an edge and the answer that is nearest to it. Before the first pass nothing is sent.
func (r reader) grown(i int, end edges.Edge, of func(counters) float64, fastest float64, u results.Unit) quantity.Quantity {
	p := r.passes[i]
	from, early, ok := r.nearest(p.begin.Time, of)
	to, late, _ := r.nearest(end.Time, of)
	switch {
	case !ok || !r.closed && r.sent == 0 && (i+1 >= len(r.passes) || r.passes[i+1].start.at == 0):
		return quantity.Unknown(u, untold)
	case float64(early)+float64(late) > lateShare*float64(end.Time-p.begin.Time):
		return quantity.Unknown(u, "the hypervisor's replies are too late for so short a round")
	case of(to.start) < of(from.start):
		return quantity.Unknown(u, "the hypervisor's counter ran backwards")
	}
	v := of(to.start) - of(from.start)
	before, after := fastest*seconds(early), fastest*seconds(late)
	if from.begin.Time <= r.first {
		before = max(before, of(from.start))
	}
	return quantity.Within(v, max(0, v-before-after), v+before+after, u)
}

// dirty is what the hypervisor says as the pass begins that ends the i-th round: it stays so until the next one.
func (r reader) dirty(i int) quantity.Quantity {
	const u = results.BytesPerSecond
	switch {
	case i+1 >= len(r.passes):
		return quantity.Unknown(u, "no synchronisation ends it")
	case r.passes[i+1].start.at == 0:
		return quantity.Unknown(u, untold)
	}
	until := r.sent
	if i+2 < len(r.passes) {
		until = r.passes[i+2].begin.Time
	}
	next := r.passes[i+1]
	switch {
	case until != 0 && next.start.at > until:
		return quantity.Unknown(u, "the hypervisor answered only after the next synchronisation, or the end, of what it was asked about")
	case until == 0 && r.before.at < next.start.at:
		return quantity.Unknown(u, "whether the hypervisor answered before the next synchronisation is not told yet")
	}
	return dirtied(next.start.dirty)
}

// dirtied is a dirty rate as the hypervisor told it. QEMU says 0 until it has computed one, which takes a second
// (migration_bitmap_sync): so 0 is not known.
func dirtied(v float64) quantity.Quantity {
	if math.IsNaN(v) || v <= 0 {
		return quantity.Unknown(results.BytesPerSecond, "the hypervisor has computed none")
	}
	return quantity.Exactly(v, results.BytesPerSecond)
}
