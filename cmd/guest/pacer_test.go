package main

import (
	"math"
	"reflect"
	"sync/atomic"
	"testing"
	"virtscope/testbed/guest/agent"
)

const ms = int64(1e6)

func memoryOf(m *meter) *meters { return &meters{start: m.start, memory: m} }

func TestPacer(t *testing.T) {
	const rate = 24 << 20
	m := &meter{start: 1000, pace: constant(rate), unit: pageSize}
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
	if late := m.late(now); late > 2*ms {
		t.Errorf("late by %d ns", late)
	}
	// After a stall of 3 s only maxBacklog is made up for; the rest stays as Late.
	now += 3000 * ms
	burst := p.due(now) * pageSize
	if want := float64(rate) * 0.1; math.Abs(float64(burst)-want) > 2*pageSize {
		t.Errorf("%d B are due after a stall, want %.0f", burst, want)
	}
	m.written.Add(burst)
	if late := m.late(now); late < 2890*ms || late > 2910*ms {
		t.Errorf("late by %d ns after the burst, want 2.9 s", late)
	}
	if n := p.due(now + 2*ms); n < 12 || n > 13 {
		t.Errorf("%d pages are due in the next slot, want 12", n)
	}
}

func TestProgressUnpaced(t *testing.T) {
	m := &meter{start: 5}
	m.written.Store(10)
	if p := memoryOf(m).progress(25); !reflect.DeepEqual(p, agent.Progress{Dirtied: 10, Elapsed: 20}) {
		t.Errorf("progress is %+v", p)
	}
}

func TestDirtyWritesWhatItCounts(t *testing.T) {
	for _, pattern := range []string{patternSequential, patternRandom, patternHotSpot, patternZipf} {
		r := worn(t, 64, 0, 0)
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

// A rate of less than a page in maxBacklog is kept all the same.
func TestPacerKeepsSlowRates(t *testing.T) {
	for _, rate := range []float64{1024, 8192, 39 << 10, 1 << 20} {
		m := &meter{start: 7, pace: constant(rate), unit: pageSize}
		p := pacer{meter: m}
		now := m.start
		for now < m.start+60_000*ms {
			now += 2 * ms
			m.written.Add(p.due(now) * pageSize)
			if late := m.late(now); late > 3*ms {
				t.Fatalf("rate %v: late by %d ns at %d", rate, late, now)
			}
		}
		if got := float64(m.written.Load()); math.Abs(got-60*rate) > pageSize {
			t.Errorf("rate %v: wrote %v B in a minute, want %v", rate, got, 60*rate)
		}
	}
}
