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
		c.dirty = r.Value
	case results.MigrationPages:
		switch {
		case r.Attrs["kind"] != "normal":
		default:
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
		if i+1 < len(s.list) {
			next = &s.list[i+1]
		}
		list = append(list, s.row(s.list[i], next, stop, latest))
	}
	return list
}

func (s *rounds) row(r round, next *round, stop, latest int64) Round {
	out := Round{N: r.n}
	const none = "the hypervisor has not told"
	end, at := noCounters(), int64(0)
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
	out.Sent = difference(end.sent-r.start.sent, results.Bytes)
	out.Pages = difference(end.pages-r.start.pages, results.One)
	out.Rate = quantity.Unknown(results.BytesPerSecond, none)
	if out.Sent.Known {
		out.Rate = rate(out.Sent.Value, seconds(end.at-r.start.at))
	}
	out.Dirty = dirtied(end.dirty)
	return out
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
