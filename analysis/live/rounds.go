package live

import (
	"math"
	"strconv"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// maxRounds bounds what is kept of them: the last ones.
const maxRounds = 64

// counters are the hypervisor's at one time. What it did not tell is NaN.
type counters struct {
	at                 int64
	sent, pages, dirty float64
}

func noCounters() counters { return counters{0, math.NaN(), math.NaN(), math.NaN()} }

func (c *counters) take(r *results.Record) {
	switch r.Name {
	case results.MigrationTransferred:
		c.sent = r.Value
	case results.MigrationDirtyRate:
		if r.Value > 0 { // 0 is none: see dirtied
			c.dirty = r.Value
		}
	case results.MigrationPages:
		if r.Attrs["kind"] == "normal" {
			c.pages = r.Value
		}
	}
}

// A round is one pass over the guest's memory.
type round struct {
	n     int
	begin int64
	start counters // as the hypervisor told of its begin
}

// rounds are a migration's, with the newest counters.
type rounds struct {
	list   []round
	after  *round // the synchronisation after the guest's stop: it begins no round
	now    counters
	total  float64 // B; 0 is not told
	left   float64
	leftAt int64
}

// begin takes in a round's begin and returns its number; 0 for the synchronisation of the stopped guest.
func (s *rounds) begin(r *results.Record, at, stop int64) int {
	n := int(max(0, min(r.Value, 1e9)))
	x := round{n: n, begin: at, start: noCounters()}
	if stop != 0 && at >= stop {
		if s.after == nil {
			s.after = &x
		}
		return 0
	}
	if len(s.list) == maxRounds {
		s.list = append(s.list[:0], s.list[1:]...)
	}
	s.list = append(s.list, x)
	return n
}

func (s *rounds) sample(r *results.Record, at int64) {
	if s.now.at == 0 {
		s.now = noCounters()
	}
	switch r.Name {
	case results.MigrationRemaining:
		s.left, s.leftAt = r.Value, at
		return
	case results.MigrationTotal:
		s.total = r.Value
		return
	}
	s.now.at = at
	s.now.take(r)
	if r.Attrs["trigger"] != "pass" {
		return
	}
	n, err := strconv.Atoi(r.Attrs["round"])
	if err != nil {
		return
	}
	if s.after != nil && s.after.n == n {
		s.after.start.at = at
		s.after.start.take(r)
		return
	}
	for i := len(s.list) - 1; i >= 0; i-- {
		if s.list[i].n == n {
			s.list[i].start.at = at
			s.list[i].start.take(r)
			return
		}
	}
}

// A Round is a pre-copy round for reading.
type Round struct {
	N        int               `json:"n"`        // as the hypervisor counts, from 1
	Duration quantity.Quantity `json:"duration"` // s; of the one under way, at least
	Sent     quantity.Quantity `json:"sent"`     // B by the hypervisor's counter
	Pages    quantity.Quantity `json:"pages"`    // pages that were sent whole
	Rate     quantity.Quantity `json:"rate"`     // B/s: sent over duration
	Dirty    quantity.Quantity `json:"dirty"`    // B/s: what the hypervisor says at its end that the guest dirtied
}

// show lists the rounds. Stop is when the guest stopped, 0 if it did not.
func (s *rounds) show(stop, latest int64) []Round {
	list := []Round{}
	for i := range s.list {
		var next *round
		after := stop
		if i+1 < len(s.list) {
			next = &s.list[i+1]
		}
		if i+2 < len(s.list) {
			after = s.list[i+2].begin
		}
		list = append(list, s.row(s.list[i], next, stop, after, latest))
	}
	return list
}

// row is a round that next follows, if there is one, and after that is what begins at after.
func (s *rounds) row(r round, next *round, stop, after, latest int64) Round {
	out := Round{N: r.n}
	const none = "the hypervisor has not told"
	end := noCounters()
	var at int64
	switch {
	case next != nil:
		end, at = next.start, next.begin
	case stop != 0:
		at = stop
		if s.after != nil {
			end = s.after.start
		}
	default:
		// It goes on: what is told of it so far.
		out.Duration = quantity.AtLeast(seconds(max(0, latest-r.begin)), results.Seconds, "it goes on")
		out.Sent = soFar(s.now.sent-r.start.sent, results.Bytes, s.now.at > r.start.at)
		out.Pages = soFar(s.now.pages-r.start.pages, results.One, s.now.at > r.start.at)
		if out.Sent.Known {
			out.Rate = rate(out.Sent.Value, seconds(s.now.at-r.start.at))
		} else {
			out.Rate = quantity.Unknown(results.BytesPerSecond, none)
		}
		out.Dirty = quantity.Unknown(results.BytesPerSecond, "the hypervisor tells at the round's end")
		return out
	}
	out.Duration = quantity.Exactly(seconds(max(0, at-r.begin)), results.Seconds)
	out.Sent = r.counted(r.start.sent, end.sent, end.at, at, results.Bytes)
	out.Pages = r.counted(r.start.pages, end.pages, end.at, at, results.One)
	out.Rate = quantity.Unknown(results.BytesPerSecond, out.Sent.Why)
	if out.Sent.Known {
		out.Rate = rate(end.sent-r.start.sent, seconds(end.at-r.start.at))
	}
	out.Dirty = dirtied(end.dirty)
	if next != nil && after != 0 && end.at > after {
		out.Dirty = quantity.Unknown(results.BytesPerSecond, "the hypervisor answered only after the next synchronisation")
	}
	return out
}

// lateShare is by how much of a round the hypervisor's replies may be late: with more, its counters tell nothing of it.
const lateShare = 0.1

// counted is what a counter says of a round that ended at end. The hypervisor's replies come later than the edges that they are
// for: what was counted between an edge and its reply, at the rate between the replies, may belong to either side.
func (r round) counted(from, to float64, reply, end int64, u results.Unit) quantity.Quantity {
	q := difference(to-from, u)
	before, behind, between := seconds(max(0, r.start.at-r.begin)), seconds(max(0, reply-end)), seconds(reply-r.start.at)
	switch {
	case !q.Known:
		return q
	case between <= 0 || before+behind > lateShare*seconds(end-r.begin):
		return quantity.Unknown(u, "the hypervisor's replies are too late for so short a round")
	}
	perSecond := q.Value / between
	return quantity.Within(q.Value, max(0, q.Value-perSecond*behind), q.Value+perSecond*before, u)
}

func rate(v, s float64) quantity.Quantity {
	if s <= 0 {
		return quantity.Unknown(results.BytesPerSecond, "no time passed between the hypervisor's replies")
	}
	return quantity.Exactly(v/s, results.BytesPerSecond)
}

func soFar(v float64, u results.Unit, any bool) quantity.Quantity {
	q := difference(v, u)
	if !q.Known || !any {
		return quantity.Unknown(u, "the hypervisor has not told")
	}
	return quantity.AtLeast(q.Value, u, "it goes on")
}

func difference(v float64, u results.Unit) quantity.Quantity {
	if math.IsNaN(v) || v < 0 {
		return quantity.Unknown(u, "the hypervisor has not told")
	}
	return quantity.Exactly(v, u)
}

// dirtied is a dirty rate as the hypervisor told it. QEMU says 0 until it has computed one, which takes a second
// (migration_bitmap_sync): so 0 is not known.
func dirtied(v float64) quantity.Quantity {
	if math.IsNaN(v) || v <= 0 {
		return quantity.Unknown(results.BytesPerSecond, "the hypervisor has computed none")
	}
	return quantity.Exactly(v, results.BytesPerSecond)
}
