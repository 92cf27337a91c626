package qemu

import (
	"virtscope/probes/wire/histogram"
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// A pageKey names a page: its block and its number in it.
type pageKey struct {
	block int
	page  int64
}

// maxWaiting bounds the requests that wait for their page.
const maxWaiting = 1 << 18

// faults measure how long the destination waits for pages that it asks for in post-copy.
type faults struct {
	open     map[pageKey]int64 // when it was asked for
	waiting  int
	requests int64 // pages
	crossed  int64 // pages that were on their way when the request passed
	again    int64 // pages that were asked for while an earlier request waited
	dropped  int64 // not followed: too many
	times    histogram.Times
}

// ask says that the destination asks for a page. Sent: it has passed since the guest runs there.
func (f *faults) ask(key pageKey, sent bool, at tcp.Stamp) {
	f.requests++
	if sent {
		f.crossed++
		return
	}
	if _, waits := f.open[key]; waits {
		f.again++
		return
	}
	if f.waiting >= maxWaiting {
		f.dropped++
		return
	}
	if f.open == nil {
		f.open = map[pageKey]int64{}
	}
	f.open[key] = at.Time
	f.waiting++
}

func (f *faults) asked(key pageKey) bool {
	_, ok := f.open[key]
	return ok
}

// answer says that the last byte of a page passed.
func (f *faults) answer(key pageKey, at tcp.Stamp) {
	f.times.Add(at.Time - f.open[key])
	delete(f.open, key)
	f.waiting--
}

// reportFaults records what was measured.
func (m *Migration) reportFaults(at tcp.Stamp) {
	f := &m.faults
	if f.requests == 0 {
		return
	}
	lost := atLeast(m.ledger.lost)
	unanswered := int64(f.waiting)
	if m.ledger.lost { // the page may have passed in what is missing
		f.dropped, unanswered = f.dropped+unanswered, 0
	}
	m.record(at, results.WirePageRequests, float64(f.requests), results.One, "atleast", lost)
	for _, a := range []struct {
		answer string
		n      int64
	}{{"sent", f.times.Count()}, {"crossed", f.crossed}, {"repeated", f.again}, {"none", unanswered}, {"unknown", f.dropped}} {
		m.record(at, results.WirePageRequests, float64(a.n), results.One, "answer", a.answer, "atleast", lost)
	}
	t := &f.times
	if t.Count() == 0 {
		return
	}
	m.record(at, results.WirePageFault, float64(t.Count()), results.One, "stat", "count")
	for _, s := range []struct {
		stat string
		ns   float64
	}{
		{"min", float64(t.Min())}, {"p50", t.Quantile(.5)}, {"p90", t.Quantile(.9)}, {"p99", t.Quantile(.99)}, {"max", float64(t.Max())}, {"mean", t.Mean()},
	} {
		m.record(at, results.WirePageFault, s.ns/1e9, results.Seconds, "stat", s.stat)
	}
}
