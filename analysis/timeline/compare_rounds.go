package timeline

import (
	"fmt"
	"slices"
	"strconv"
	"virtscope/analysis/quantity"
	"virtscope/analysis/stream"
	"virtscope/results"
)

// A RoundComparison holds a round as the packets show it against the synchronisation that began it and the counters that the
// hypervisor was asked for then. Round 1 is not judged: its synchronisation is part of setup, some time before the first page.
// That of stop-and-copy begins with the stop.
type RoundComparison struct {
	N    int    `json:"n"`    // as the packets count
	Pass int    `json:"pass"` // the synchronisation's number; 0: the hypervisor reported none for it
	How  string `json:"how,omitempty"`
	// Begin is when the packets show its begin, Event when the hypervisor synchronised, in s since the request.
	Begin Comparison `json:"begin"`
	Pages Comparison `json:"pages"` // 1: sent whole and zero
	Bytes Comparison `json:"bytes"` // B
}

// compareRounds pairs the rounds in which pages passed with synchronisations. Where the hypervisor counts more of these than
// packets show, a round goes with the one that is nearest to its begin; that of stop-and-copy with the one that followed the stop.
func (t *Timeline) compareRounds(x *index, m *migration, payload flow) []RoundComparison {
	if t.Wire == nil {
		return nil
	}
	c := x.newCounters(m, payload)
	rounds := t.Wire.Rounds
	passes := m.pair(rounds)
	var list []RoundComparison
	for i, r := range rounds {
		rc := RoundComparison{N: r.N, How: r.How}
		var event *Edge
		if p := passes[i]; p != nil {
			rc.Pass, event = p.n, &p.edge
		}
		if r.How == stream.HowFinal && m.unseenStop() == "" {
			event = m.stop
		}
		rc.Begin = x.edgeCompared("round "+strconv.Itoa(r.N), t.ActionBegin, &r.Begin, event)
		if r.How == stream.HowStart || m.stoppedFirst() {
			rc.Begin.Judged, rc.Begin.Agrees = false, false
		}
		var next *pass
		last := i+1 == len(rounds)
		if !last {
			next = passes[i+1]
		}
		pages, bytes := c.grown(passes[i], next, last)
		rc.Pages = compare(ComparePages, r.Count(results.PageNormal, results.PageMultifd, results.PageZero), pages)
		rc.Bytes = compare(CompareBytes, r.Bytes, bytes)
		rc.Bytes.Judged, rc.Bytes.Agrees = false, false
		if m.heldBefore(next, event) {
			rc.Begin.Judged, rc.Begin.Agrees = false, false
			rc.Pages.Judged, rc.Pages.Agrees = false, false
		}
		if m.unjudged(t.Wire) != "" {
			rc.Pages.Judged, rc.Pages.Agrees = false, false
		}
		list = append(list, rc)
	}
	return list
}

// heldBefore reports whether a round that began with an event, and ended with the synchronisation next, was not over when the guest
// was stopped on purpose: what the packets call it need not be what the hypervisor does.
func (m *migration) heldBefore(next *pass, event *Edge) bool {
	if m.held == nil || m.stop == nil {
		return false
	}
	return next == nil || next.edge.Time >= m.stop.Time || event == nil || event.Time >= m.stop.Time
}

// pair gives each round the synchronisation that began it; nil where the hypervisor reported none for it. No two rounds get the
// same, and each round that follows leaves at least one.
func (m *migration) pair(rounds []stream.Round) []*pass {
	list := make([]*pass, len(rounds))
	if m.stoppedFirst() { // all synchronisations followed the stop, and at most the last one opens no round
		for i := range rounds {
			if i < len(m.final) {
				list[i] = &m.final[i]
			}
		}
		return list
	}
	synced, final := m.passes, m.final
	if m.held != nil && len(final) > 0 { // the stream goes on as if the guest ran, up to the last synchronisation
		last := len(final) - 1
		synced, final = slices.Concat(synced, final[:last]), final[last:]
	}
	running := 0
	for _, r := range rounds {
		if r.How == stream.HowStart || r.How == stream.HowAgain {
			running++
		}
	}
	from := 0
	for i, r := range rounds {
		if r.How != stream.HowStart && r.How != stream.HowAgain {
			if len(final) > 0 {
				list[i] = &final[0]
			}
			continue
		}
		running--
		best := -1
		for k := from; k < len(synced)-running; k++ {
			if r.How == stream.HowStart && k > from {
				break // the first pass over memory
			}
			if best < 0 || abs(synced[k].edge.Time-r.Begin.Time) < abs(synced[best].edge.Time-r.Begin.Time) {
				best = k
			}
		}
		if best >= 0 {
			list[i], from = &synced[best], best+1
		}
	}
	return list
}

// grown is how much the counters of pages (sent whole and zero) and of bytes grew between two synchronisations; after the last one
// until the end.
func (c counters) grown(from, to *pass, last bool) (pages, bytes quantity.Quantity) {
	x := c.x
	finalPages := plus(x.final(results.MigrationPages, results.One, "kind", "normal"), x.final(results.MigrationPages, results.One, "kind", "zero"))
	pages = c.between(from, to, last, results.One, x.pagesAt, finalPages, x.fastestPages())
	bytes = c.between(from, to, last, results.Bytes, x.bytesAt, x.final(results.MigrationTransferred, results.Bytes), c.rate)
	return pages, bytes
}

// pagesAt adds up the pages of the answer that was asked for when round n began; ok is false if a kind is missing.
func (x *index) pagesAt(n int) (a sample, ok bool) {
	kinds := 0
	for _, r := range x.byName[results.MigrationPages] {
		if r.Attrs["trigger"] == "pass" && r.Attrs["round"] == strconv.Itoa(n) {
			a.at, a.value = max(a.at, r.Time), a.value+r.Value
			kinds++
		}
	}
	return a, kinds == 2
}

func (x *index) bytesAt(n int) (a sample, ok bool) {
	r, ok := x.askedAt(results.MigrationTransferred, n)
	return sample{r.Time, r.Value}, ok
}

// between is what a counter grew from one synchronisation to the next. Its bounds hold what may have been sent between a
// synchronisation and the answer to the question that it led to; where that is late, nobody knows (see counters).
func (c counters) between(from, to *pass, last bool, u results.Unit, get func(int) (sample, bool), final quantity.Quantity, rate float64) quantity.Quantity {
	if from == nil || !last && to == nil {
		return quantity.Unknown(u, "the hypervisor reported no synchronisation for it")
	}
	a, ok := get(from.n)
	if !ok {
		return quantity.Unknown(u, "the hypervisor was not asked, or did not answer, when the round began")
	}
	if !last {
		b, ok := get(to.n)
		if !ok {
			return quantity.Unknown(u, "the hypervisor was not asked, or did not answer, when the round ended")
		}
		return c.difference(a, b, from.edge.Time, to.edge.Time, u, rate)
	}
	if !final.Known {
		return final
	}
	return c.difference(a, sample{c.end.Time, final.Value}, from.edge.Time, c.end.Time, u, rate) // after the end it grows no more
}

// difference of two answers that tell of the instants from and to, or of some up to when they came.
func (c counters) difference(a, b sample, from, to int64, u results.Unit, rate float64) quantity.Quantity {
	early, late := max(0, a.at-from), max(0, b.at-to)
	switch {
	case float64(early)+float64(late) > lateShare*float64(to-from):
		return quantity.Unknown(u, fmt.Sprintf("the hypervisor's answers are further from the edges of the round than %.0f %% of its length", 100*lateShare))
	case b.value < a.value:
		return quantity.Unknown(u, "the hypervisor's counter ran backwards")
	}
	v := b.value - a.value
	before, after := rate*seconds(early), rate*seconds(late)
	if from <= c.first { // nothing was sent before
		before = max(before, a.value)
	}
	return quantity.Within(v, max(0, v-after), v+before, u)
}

// fastestPages is the most that the counters of pages grew, in 1/s, between two answers that are not nearly at once.
func (x *index) fastestPages() float64 {
	var list []sample
	for _, r := range x.byName[results.MigrationPages] { // in order of time: the kinds of one answer are neighbours
		if n := len(list); n > 0 && list[n-1].at == r.Time {
			list[n-1].value += r.Value
			continue
		}
		list = append(list, sample{r.Time, r.Value})
	}
	return fastest(list)
}
