package timeline_test

import (
	"math"
	"testing"
	"time"
	"virtscope/analysis/quantity"
	"virtscope/analysis/timeline"
	"virtscope/analysis/timeline/timelinetest"
)

// A hypervisor that answers late must not credit a round with another's bytes, nor have its silence taken for 0.
func TestLateAnswers(t *testing.T) {
	for seed := range uint64(24) {
		s := timelinetest.Default(seed)
		s.Usage = false
		s.Outage = 200 * time.Millisecond
		// From some time in the rounds, or from before them, until after all was copied, or briefly.
		s.Busy = []timelinetest.Stall{{At: time.Duration(60*seed) * time.Millisecond, For: 2 * time.Second}}
		if seed%3 == 1 {
			s.Busy[0].For = 35 * time.Millisecond
		}
		tl := build(t, s)
		known := 0
		for _, r := range tl.Rounds {
			truth := s.Rate * r.Duration.Value
			if r.Name == timeline.PhaseStopAndCopy {
				truth *= 0.75 // then all is copied
			}
			if q := r.Transferred; q.Known {
				known++
				if truth < q.Low-64 || truth > q.High+64 || math.Abs(q.Value-truth) > 0.2*truth {
					t.Errorf("seed %d, %s: sent %+v, truth %v", seed, r.Name, q, truth)
				}
			}
			if q := r.Remaining; q.Known && (truth < q.Low-4096 || truth > q.High+4096) { // a round sends what it began with
				t.Errorf("seed %d, %s: left %+v, truth %v", seed, r.Name, q, truth)
			}
			if q := r.DirtyRate; q.Known && q.Value != 8<<20 {
				t.Errorf("seed %d, %s: dirtied %+v", seed, r.Name, q)
			}
			for _, q := range []quantity.Quantity{r.Transferred, r.Remaining, r.DirtyRate} {
				if !q.Known && q.Why == "" || q.Known && q.Value == 0 {
					t.Errorf("seed %d, %s: %+v", seed, r.Name, q)
				}
			}
		}
		if seed == 0 && known > 1 {
			t.Errorf("%d rounds are known of a hypervisor that answered nothing", known)
		}
		if s.Busy[0].For < time.Second && known < 3 {
			t.Errorf("seed %d: %d rounds are known beside a short pause", seed, known)
		}
	}
}

// A steady flow must look steady: every step holds equally many bins.
func TestThroughputIsSteady(t *testing.T) {
	for seed := range uint64(8) {
		s := timelinetest.Default(seed)
		s.Usage, s.Echo = false, false
		s.Bin = time.Millisecond
		tl := build(t, s)
		n := 0
		for _, p := range tl.Throughput.Points {
			if p.T > 0.1 && p.T < 1.1 {
				n++
				if math.Abs(p.V-s.Rate) > 0.001*s.Rate {
					t.Errorf("seed %d: %v B/s at %v s, the flow is %v B/s", seed, p.V, p.T, s.Rate)
				}
			}
		}
		if n < 100 {
			t.Errorf("seed %d: %d points in a second", seed, n)
		}
	}
}
