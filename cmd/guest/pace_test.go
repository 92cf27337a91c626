package main

import (
	"math"
	"strings"
	"testing"
	"virtscope/testbed/guest/agent"
)

func TestReplay(t *testing.T) {
	const s = int64(1e9)
	// 1 s at 100 B/s, 2 s of nothing, 1 s at 300 B/s: 400 B in 4 s.
	r, err := newReplay([]agent.TracePoint{{At: 0, Rate: 100}, {At: s, Rate: 0}, {At: 3 * s, Rate: 300}, {At: 4 * s, Rate: 7}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		elapsed int64
		asked   float64
		reached int64 // the last time at which no more was asked
	}{
		{0, 0, 0},
		{s / 2, 50, s / 2},
		{s, 100, 3 * s},
		{2 * s, 100, 3 * s},
		{3*s + s/2, 250, 3*s + s/2},
		{4 * s, 400, 4 * s},
		{4*s + s/4, 425, 4*s + s/4},
		{9*s + s/2, 900, 11 * s},
	} {
		if got := r.asked(tt.elapsed); math.Abs(got-tt.asked) > 1e-6 {
			t.Errorf("after %d ns %v B were asked, want %v", tt.elapsed, got, tt.asked)
		}
		if got := r.reached(tt.asked); max(got-tt.reached, tt.reached-got) > 10 {
			t.Errorf("%v B were reached at %d ns, want %d", tt.asked, got, tt.reached)
		}
	}
}

// What was reached is never later than what was asked allows, and a workload that keeps up is never late.
func TestReplayPaces(t *testing.T) {
	trace := []agent.TracePoint{{At: 0, Rate: 3e6}, {At: 333 * ms, Rate: 0}, {At: 700 * ms, Rate: 50e6}, {At: 750 * ms, Rate: 1e5}, {At: 1501 * ms}}
	r, err := newReplay(trace)
	if err != nil {
		t.Fatal(err)
	}
	m := &meter{start: 99, pace: r, unit: pageSize}
	p := pacer{meter: m}
	now := m.start
	for now < m.start+20_000*ms {
		now += 2 * ms
		m.written.Add(p.due(now) * pageSize)
		if late := m.late(now); late > 3*ms {
			t.Fatalf("late by %d ns at %d", late, now)
		}
		if ahead := m.written.Load() - m.asked(now); ahead > 0 {
			t.Fatalf("%d B too much at %d", ahead, now)
		}
	}
	if lack := m.asked(now) - m.written.Load(); lack > pageSize {
		t.Errorf("%d B were not written", lack)
	}
	// After a stall, no more is made up for than was asked in maxBacklog.
	now += 1600 * ms
	most := r.asked(now-m.start) - r.asked(now-m.start-maxBacklog) + pageSize
	if burst := float64(p.due(now) * pageSize); burst > most {
		t.Errorf("%v B are due after a stall, want at most %v", burst, most)
	}
}

func TestReplayRefuses(t *testing.T) {
	for want, trace := range map[string][]agent.TracePoint{
		"two points":  {{Rate: 1}},
		"begins":      {{At: 1, Rate: 1}, {At: 2}},
		"comes after": {{Rate: 1}, {At: 5, Rate: 1}, {At: 5}},
		"all 0":       {{}, {At: 5}},
		"want 0 to":   {{Rate: math.NaN()}, {At: 5}},
	} {
		if _, err := newReplay(trace); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
