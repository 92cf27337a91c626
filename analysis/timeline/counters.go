package timeline

import (
	"fmt"
	"math"
	"strconv"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// lateShare is by how much of a round's length the hypervisor's answers for it may be late.
const lateShare = 0.1

// Counters are the hypervisor's own counters as it told them when rounds began.
//
// QEMU's main loop answers query-migrate, and may be busy for long: an answer tells the state of some instant between
// the event that led to the question and its own arrival. So a counter of bytes that reads v is, at an instant that is
// at most d away from either end, within v ± rate·d, where rate is the fastest at which it was seen to grow, and not
// less than the link's. Before the first synchronisation nothing is sent: there it may be 0. Where the answers are late
// by more than a tenth of the round, or came after what they tell of was over, the value is unknown.
type counters struct {
	x        *index
	first    int64 // the first synchronisation
	end      Edge  // of the migration: it sends no more
	readings []reading
	rate     float64 // B/s
}

// A reading is when the hypervisor was asked as a round began, and when it answered.
type reading struct {
	n            int
	asked, reply int64
	until        int64 // the round's end; the answer must come before to tell what was left
	sent         float64
}

func (x *index) newCounters(m *migration, payload flow) counters {
	c := counters{x: x}
	passes := append(append([]pass(nil), m.passes...), m.final...)
	if len(passes) == 0 {
		return c
	}
	c.first = passes[0].edge.Time
	end := m.sent(passes[len(passes)-1].edge.Time)
	for i, p := range passes {
		until := end.Time
		if i+1 < len(passes) {
			until = passes[i+1].edge.Time
		}
		if r, ok := x.askedAt(results.MigrationTransferred, p.n); ok {
			c.readings = append(c.readings, reading{n: p.n, asked: p.edge.Time, reply: r.Time, until: until, sent: r.Value})
		}
	}
	c.end, c.rate = end, x.fastestBytes(window{c.first, end.Time}, payload)
	return c
}

// askedAt is the sample that was asked for when round n began.
func (x *index) askedAt(name string, n int) (results.Record, bool) {
	for _, r := range x.byName[name] {
		if r.Attrs["trigger"] == "pass" && r.Attrs["round"] == strconv.Itoa(n) {
			return r, true
		}
	}
	return results.Record{}, false
}

// fastestBytes is the most that the counter of sent bytes grew, in B/s, between two answers that are not nearly at once, or
// the link's rate over w if that is more.
func (x *index) fastestBytes(w window, payload flow) float64 {
	var list []sample
	for _, r := range x.byName[results.MigrationTransferred] {
		list = append(list, sample{r.Time, r.Value})
	}
	rate := fastest(list)
	if q := payload.during(Edge{Time: w.from}, Edge{Time: w.to}); q.Known && w.length() > 0 {
		rate = max(rate, q.Value/seconds(w.length()))
	}
	return rate
}

// fastest is the most that a counter grew per second between two readings that are not nearly at once.
func fastest(list []sample) float64 {
	const apart = 5e6 // ns
	rate := 0.0
	for i, j := 0, 1; j < len(list); j++ {
		for i+1 < j && list[j].at-list[i+1].at >= apart {
			i++
		}
		if d := list[j].at - list[i].at; d >= apart {
			rate = max(rate, (list[j].value-list[i].value)/seconds(d))
		}
	}
	return rate
}

// round is the part s of the migration. It began with synchronisation n and ends with next, 0 if with none; last says that
// nothing is sent after it.
func (c counters) round(s Span, n, next int, last bool, payload flow) Round {
	r := Round{
		Name: s.Name, N: n, Start: s.Start, End: s.End,
		Duration:    between(s.Start, s.End),
		Bytes:       payload.during(s.Start, s.End),
		Transferred: c.transferred(s, last),
		Remaining:   c.remaining(s, n),
		DirtyRate:   c.dirtyRate(next),
	}
	r.LinkRate = quantity.Rate(r.Bytes, r.Duration, results.BytesPerSecond)
	return r
}

// nearest is the reading that is least far from t, and by how much.
func (c counters) nearest(t int64) (best reading, far int64) {
	far = math.MaxInt64
	for _, r := range c.readings {
		if d := max(r.reply-t, t-r.asked, 0); d < far {
			best, far = r, d
		}
	}
	return best, far
}

// transferred is how much the counter grew in s. The last span is that which ends with the migration: its end is the
// counter's final value.
func (c counters) transferred(s Span, last bool) quantity.Quantity {
	from, early := c.nearest(s.Start.Time)
	to, late := c.nearest(s.End.Time)
	sent := quantity.Exactly(to.sent, results.Bytes)
	if last {
		sent, late = c.x.final(results.MigrationTransferred, results.Bytes), 0
	}
	switch {
	case len(c.readings) == 0:
		return quantity.Unknown(results.Bytes, "the hypervisor was not asked, or did not answer, when rounds began")
	case !sent.Known:
		return sent
	case float64(early)+float64(late) > lateShare*float64(s.Duration()):
		return quantity.Unknown(results.Bytes, fmt.Sprintf("the hypervisor's answers are further from the edges of the round than %.0f %% of its length", 100*lateShare))
	case sent.Value < from.sent:
		return quantity.Unknown(results.Bytes, "the hypervisor's counter ran backwards")
	}
	v := sent.Value - from.sent
	before, after := c.rate*seconds(early), c.rate*seconds(late)
	if from.asked <= c.first {
		before = max(before, from.sent)
	}
	return quantity.Within(v, max(0, v-before-after), v+before+after, results.Bytes)
}

// remaining is what was left as round n began. It may have been more by what was sent until the answer.
func (c counters) remaining(s Span, n int) quantity.Quantity {
	const u = results.Bytes
	for _, r := range c.readings {
		if r.n != n {
			continue
		}
		q, why := c.asked(results.MigrationRemaining, r, u)
		if why != "" {
			return quantity.Unknown(u, why)
		}
		late := r.reply - min(r.asked, s.Start.Time)
		if float64(late) > lateShare*float64(s.Duration()) {
			return quantity.Unknown(u, fmt.Sprintf("the hypervisor answered later than %.0f %% of the round's length after it began", 100*lateShare))
		}
		more := c.rate * seconds(late)
		if r.asked <= c.first {
			more = max(more, r.sent)
		}
		return quantity.Within(q.Value, q.Value, q.Value+more, u)
	}
	return quantity.Unknown(u, "the hypervisor did not answer when it was asked as the round began")
}

// dirtyRate is what the hypervisor says when round next begins: it stays so until the next synchronisation.
func (c counters) dirtyRate(next int) quantity.Quantity {
	const u = results.BytesPerSecond
	if next == 0 {
		return quantity.Unknown(u, "no synchronisation ends it")
	}
	for _, r := range c.readings {
		if r.n != next {
			continue
		}
		q, why := c.asked(results.MigrationDirtyRate, r, u)
		switch {
		case why != "":
			return quantity.Unknown(u, why)
		case q.Value == 0 && r.asked-c.first < 1e9:
			return quantity.Unknown(u, "the hypervisor had not computed a dirty rate yet: it takes a second")
		}
		return q
	}
	return quantity.Unknown(u, "the hypervisor did not answer when it was asked as the round ended")
}

// asked is the sample of a name that came with a reading; why says why it tells nothing.
func (c counters) asked(name string, r reading, u results.Unit) (q quantity.Quantity, why string) {
	sample, ok := c.x.askedAt(name, r.n)
	switch {
	case !ok:
		return q, "the hypervisor did not report it"
	case max(r.reply, sample.Time) > r.until:
		return q, "the hypervisor answered only after the next synchronisation, or the end, of what it was asked about"
	}
	return quantity.Exactly(sample.Value, u), ""
}
