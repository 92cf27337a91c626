package qemu

import (
	"math"
	"math/bits"
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
	times    latencies
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
	f.times.add(at.Time - f.open[key])
	delete(f.open, key)
	f.waiting--
}

// A latencies is a histogram of times in ns with 64 steps an octave: a quantile is off by less than 0.8 %.
type latencies struct {
	bins     [64 * steps]int32
	count    int64
	sum      float64
	min, max int64
}

const steps = 64

func (l *latencies) add(ns int64) {
	ns = max(ns, 0)
	if l.count == 0 || ns < l.min {
		l.min = ns
	}
	l.max = max(l.max, ns)
	l.count++
	l.sum += float64(ns)
	l.bins[binOf(ns)]++
}

// binOf is exact below 64 ns.
func binOf(ns int64) int {
	if ns < steps {
		return int(ns)
	}
	shift := bits.Len64(uint64(ns)) - 7 // leaves 64…127
	return (shift+1)*steps + int(ns>>shift) - steps
}

// middle of a bin, ns.
func middle(bin int) float64 {
	if bin < steps {
		return float64(bin)
	}
	shift := bin/steps - 1
	low := int64(bin%steps+steps) << shift
	return float64(low) + float64(int64(1)<<shift)/2
}

// quantile is the smallest time that a share q of all does not exceed, in ns.
func (l *latencies) quantile(q float64) float64 {
	want := int64(math.Ceil(q * float64(l.count)))
	seen := int64(0)
	for bin, n := range l.bins {
		seen += int64(n)
		if n > 0 && seen >= want {
			return min(max(middle(bin), float64(l.min)), float64(l.max))
		}
	}
	return float64(l.max)
}

// report records what was measured.
func (m *Migration) reportFaults(at tcp.Stamp) {
	f := &m.faults
	if f.requests == 0 {
		return
	}
	lost := atLeast(m.ledger.lost)
	m.record(at, results.WirePageRequests, float64(f.requests), results.One, "atleast", lost)
	for _, a := range []struct {
		answer string
		n      int64
	}{{"sent", f.times.count}, {"crossed", f.crossed}, {"repeated", f.again}, {"none", int64(f.waiting)}, {"unknown", f.dropped}} {
		m.record(at, results.WirePageRequests, float64(a.n), results.One, "answer", a.answer, "atleast", lost)
	}
	t := &f.times
	if t.count == 0 {
		return
	}
	m.record(at, results.WirePageFault, float64(t.count), results.One, "stat", "count")
	for _, s := range []struct {
		stat string
		ns   float64
	}{{"min", float64(t.min)}, {"p50", t.quantile(.5)}, {"p90", t.quantile(.9)}, {"p99", t.quantile(.99)}, {"max", float64(t.max)}, {"mean", t.sum / float64(t.count)}} {
		m.record(at, results.WirePageFault, s.ns/1e9, results.Seconds, "stat", s.stat)
	}
}
