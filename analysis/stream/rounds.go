package stream

import (
	"slices"
	"strconv"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// PerSecond is the unit of a rate of pages.
const PerSecond results.Unit = "1/s"

// How a round begins.
const (
	HowStart = "start" // the first pass over memory
	HowAgain = "again" // pages of the round before pass again
	HowFinal = "final" // the guest was stopped
)

// A Round is one pass over the guest's memory.
type Round struct {
	N     int     `json:"n"`             // from 1
	How   string  `json:"how,omitempty"` // how it was told: HowStart, HowAgain, HowFinal, or another word of the decoder's
	Begin Moment  `json:"begin"`
	End   *Moment `json:"end,omitempty"` // nil if it was not seen
	// Duration is End − Begin, in s.
	Duration quantity.Quantity `json:"duration"`
	// Bytes of the stream that passed in it, over all channels, in B.
	Bytes quantity.Quantity `json:"bytes"`
	Pages Pages             `json:"pages"`
	// Total counts the page records of all kinds.
	Total quantity.Quantity `json:"total"`
	// Resent is how many distinct pages an earlier round had sent: they were dirtied again.
	Resent quantity.Quantity `json:"resent"`
	// Distinct is how many distinct pages it sent, and WorkingSet their size in B.
	Distinct   quantity.Quantity `json:"distinct"`
	WorkingSet quantity.Quantity `json:"working_set"`
	// Rate is Bytes over Duration in B/s, PageRate Total over Duration in 1/s.
	Rate     quantity.Quantity `json:"rate"`
	PageRate quantity.Quantity `json:"page_rate"`
	Blocks   []RoundBlock      `json:"blocks,omitempty"`
}

// A RoundBlock is a round's pages in one RAM block.
type RoundBlock struct {
	Block    string            `json:"block"`
	Distinct quantity.Quantity `json:"distinct"`
	Resent   quantity.Quantity `json:"resent"`
}

// rounds lists the rounds by number. Each lasts until the next; the last one until all of memory was sent.
func (l *log) rounds(m *Migration) []Round {
	var list []Round
	for _, r := range l.byName[results.WireRound] {
		n := int(r.Value)
		if slices.ContainsFunc(list, func(have Round) bool { return have.N == n }) {
			l.note("round %d began more than once: the first begin counts", n)
			continue
		}
		list = append(list, Round{N: n, How: r.Attrs["how"], Begin: momentOf(r)})
	}
	slices.SortStableFunc(list, func(a, b Round) int { return a.N - b.N })
	for _, name := range []string{results.WireRoundBytes, results.WireRoundPages, results.WireRoundResent, results.WireRoundSpan} {
		for _, number := range l.values(name, "round") {
			if n, _ := strconv.Atoi(number); !slices.ContainsFunc(list, func(have Round) bool { return have.N == n }) {
				l.note("sums of round %s were recorded, but not its begin: they are left out", number)
			}
		}
	}
	for i := range list {
		r := &list[i]
		if i+1 < len(list) {
			r.End = &list[i+1].Begin
		} else {
			r.End = m.sentAfter(*r)
		}
		l.sums(r, m.PageSize)
	}
	return list
}

// sentAfter is when the last round was over: what follows memory in the stream began, or the last byte passed. Only where the
// decoder named the round something else than pre-copy has words for, such as post-copy, does memory go on to pass after the
// devices' state.
func (m *Migration) sentAfter(r Round) *Moment {
	after := []string{results.StageSwitchOver, results.StageDone}
	if r.How == HowStart || r.How == HowAgain || r.How == HowFinal {
		after = append(after, results.StageDeviceState, results.StagePostCopy)
	}
	var first *Moment
	for _, s := range m.Stages {
		if slices.Contains(after, s.Name) && s.Begin.Time >= r.Begin.Time && (first == nil || s.Begin.Time < first.Time) {
			first = &s.Begin
		}
	}
	return first
}

// sums fills in what was counted in a round.
func (l *log) sums(r *Round, pageSize quantity.Quantity) {
	const why = "the round was not over when the capture ended, or its sums were not recorded"
	number := strconv.Itoa(r.N)
	r.Duration = quantity.Unknown(results.Seconds, "its end was not seen")
	if r.End != nil {
		r.Duration = r.End.Since(r.Begin)
	}
	r.Bytes = l.total(results.WireRoundBytes, results.Bytes, why, "round", number)
	r.Pages = l.byKind(results.WireRoundPages, results.One, "round", number)
	r.Resent = l.total(results.WireRoundResent, results.One, why, "round", number, "block", "")
	r.Distinct = l.total(results.WireRoundSpan, results.One, why, "round", number, "block", "")
	r.Total = r.Pages.All()
	switch {
	case r.Total.Known:
	case r.Distinct.Known && !r.Distinct.Censored && r.Distinct.Value == 0:
		r.Total = quantity.Exactly(0, results.One) // a round without pages has sums of nothing
	case !r.Bytes.Known:
		r.Total.Why = why
	}
	r.WorkingSet = scaled(r.Distinct, pageSize)
	r.Rate = quantity.Rate(r.Bytes, r.Duration, results.BytesPerSecond)
	r.PageRate = quantity.Rate(r.Total, r.Duration, PerSecond)
	for _, block := range l.values(results.WireRoundSpan, "block", "round", number) {
		r.Blocks = append(r.Blocks, RoundBlock{
			Block:    block,
			Distinct: l.total(results.WireRoundSpan, results.One, why, "round", number, "block", block),
			Resent:   l.total(results.WireRoundResent, results.One, why, "round", number, "block", block),
		})
	}
}

// Count counts a round's records of some kinds; see Pages.Of.
func (r Round) Count(kinds ...string) quantity.Quantity {
	q := r.Pages.Of(kinds...)
	switch {
	case q.Known || len(r.Pages) > 0:
	case r.Total.Known: // a round without pages has no sums of them
		return r.Total
	default:
		q.Why = r.Total.Why
	}
	return q
}

// scaled is a number of pages in B.
func scaled(pages, size quantity.Quantity) quantity.Quantity {
	switch {
	case !pages.Known:
		return quantity.Unknown(results.Bytes, pages.Why)
	case !size.Known:
		return quantity.Unknown(results.Bytes, size.Why)
	case pages.Censored:
		return quantity.AtLeast(pages.Value*size.Value, results.Bytes, pages.Why)
	}
	return quantity.Exactly(pages.Value*size.Value, results.Bytes)
}

// PreCopyRounds is how many rounds began while the guest ran at the source, as far as pages show it: like Syncs, a lower bound
// where a synchronisation may not show.
func (m *Migration) PreCopyRounds() quantity.Quantity {
	if len(m.Rounds) == 0 {
		return quantity.Unknown(results.One, "no round was told from the stream")
	}
	n, atStop := 0, 0 // synchronisations that come with the stop
	for _, r := range m.Rounds {
		switch r.How {
		case HowStart, HowAgain:
			n++
		case HowFinal:
			atStop = 2
		default: // into post-copy
			atStop = max(atStop, 1)
		}
	}
	// Rounds are drawn where QEMU's rule puts them, which may be more than pages prove.
	if m.Syncs.Known && m.Syncs.Censored {
		n = min(n, max(1, int(m.Syncs.Value)-atStop))
	}
	switch {
	case m.Start != StartHeader:
		return quantity.AtLeast(float64(n), results.One, "the capture began after the migration did")
	case m.Syncs.Known && !m.Syncs.Censored:
		return quantity.Exactly(float64(n), results.One)
	}
	return quantity.AtLeast(float64(n), results.One, "a round shows only where pages pass again")
}
