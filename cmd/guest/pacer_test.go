package main

import (
	"math"
	"sync/atomic"
	"testing"
	"virtscope/testbed/guest/agent"
)

const ms = int64(1e6)

func TestPacer(t *testing.T) {
	const rate = 24 << 20
	m := &meter{start: 1000, rate: rate}
	p := pacer{meter: m}
	if n := p.due(1000); n != 0 {
		t.Errorf("at the start %d pages are due", n)
	}
	now := m.start
	for now < m.start+1000*ms {
		now += 2 * ms
		m.written.Add(p.due(now) * pageSize)
	}
	if got := m.written.Load(); math.Abs(float64(got-rate)) > pageSize {
		t.Errorf("wrote %d B in a second, want %d", got, rate)
	}
	if late := m.progress(now).Late; late > 2*ms {
		t.Errorf("late by %d ns", late)
	}
	// After a stall of 3 s only maxBacklog is made up for; the rest stays as Late.
	now += 3000 * ms
	burst := p.due(now) * pageSize
	if want := float64(rate) * 0.1; math.Abs(float64(burst)-want) > 2*pageSize {
		t.Errorf("%d B are due after a stall, want %.0f", burst, want)
	}
	m.written.Add(burst)
	if late := m.progress(now).Late; late < 2890*ms || late > 2910*ms {
		t.Errorf("late by %d ns after the burst, want 2.9 s", late)
	}
	if n := p.due(now + 2*ms); n < 12 || n > 13 {
		t.Errorf("%d pages are due in the next slot, want 12", n)
	}
}

func TestProgressUnpaced(t *testing.T) {
	m := &meter{start: 5}
	m.written.Store(10)
	if p := m.progress(25); p != (agent.Progress{Dirtied: 10, Elapsed: 20}) {
		t.Errorf("progress is %+v", p)
	}
}

func TestDirtyWritesWhatItCounts(t *testing.T) {
	for _, pattern := range []string{patternSequential, patternRandom, patternHotSpot} {
		r := worn(t, 64, 0)
		before := r.rewritten
		m := &meter{start: mono()}
		var stop atomic.Bool
		choose := chooser(&agent.Workload{Pattern: pattern}, len(r.pages))
		writes := 0
		dirty(r, func() int {
			writes++
			stop.Store(writes > 1000)
			return choose()
		}, m, &stop)
		if got := m.written.Load(); got != int64(r.rewritten-before)*pageSize {
			t.Errorf("%s: counted %d B, wrote %d pages", pattern, got, r.rewritten-before)
		}
		if v := verify(r); v.Corrupt != 0 {
			t.Errorf("%s: %+v", pattern, v)
		}
	}
}

func TestChooser(t *testing.T) {
	const pages, picks = 200, 20_000
	for _, tt := range []struct {
		pattern   string
		low, high float64 // share of the picks in the first tenth of the pages
	}{{patternSequential, 0.1, 0.1}, {patternRandom, 0.09, 0.11}, {patternHotSpot, 0.89, 0.91}} {
		choose := chooser(&agent.Workload{Pattern: tt.pattern, Seed: 5}, pages)
		seen := make([]int, pages)
		for range picks {
			seen[choose()]++
		}
		hot := 0
		for i, n := range seen {
			if n == 0 {
				t.Errorf("%s: page %d was never chosen", tt.pattern, i)
			}
			if i < pages/10 {
				hot += n
			}
		}
		if share := float64(hot) / picks; share < tt.low || share > tt.high {
			t.Errorf("%s: %.3f of the picks are in the first tenth, want %v to %v", tt.pattern, share, tt.low, tt.high)
		}
		one := chooser(&agent.Workload{Pattern: tt.pattern}, 1)
		for range 100 {
			if one() != 0 {
				t.Fatalf("%s: a single page is not chosen", tt.pattern)
			}
		}
	}
}
