package timeline_test

import (
	"math"
	"testing"
	"time"
	"virtscope/analysis/timeline"
	"virtscope/analysis/timeline/timelinetest"
)

func build(t *testing.T, s timelinetest.Scenario) *timeline.Timeline {
	t.Helper()
	o, records := s.Make()
	tl, err := timeline.Build(o, records)
	if err != nil {
		t.Fatal(err)
	}
	return tl
}

// holds checks that the truth, in s, lies within a view's own bounds, give or take a ns.
func holds(t *testing.T, o timeline.Outage, truth float64) {
	t.Helper()
	if !o.Known {
		t.Errorf("%s is unknown: %s", o.Name, o.Why)
		return
	}
	if truth < o.Low-2e-9 || truth > o.High+2e-9 {
		t.Errorf("%s = %.6f s in [%.6f, %.6f], but the truth is %.6f s", o.Name, o.Value, o.Low, o.High, truth)
	}
}

var outages = []time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 11 * time.Millisecond,
	80 * time.Millisecond, 333 * time.Millisecond, 2 * time.Second,
}

// Every view must hold the truth within its own bounds, whatever the seed, the drift and the kind of outage.
func TestViewsHoldTheTruth(t *testing.T) {
	for _, d := range outages {
		for seed := range uint64(64) {
			s := timelinetest.Default(seed)
			s.Outage = d
			s.Still = seed%2 == 0
			s.Buffered = seed%4 < 2
			s.Drift = []float64{0, 200e-6, -200e-6, 20e-6}[seed/4%4]
			s.Usage = false
			tl := build(t, s)
			truth := d.Seconds()
			holds(t, tl.Outage(timeline.Downtime), truth)
			holds(t, tl.Outage(timeline.BlackoutWire), truth)
			holds(t, tl.Outage(timeline.BlackoutGuest), truth)
			client := tl.Outage(timeline.BlackoutClient)
			holds(t, client, truth)
			if err := math.Abs(client.Value - truth); err > s.Interval.Seconds()+0.001 {
				t.Errorf("seed %d: client error %v s at %v: above one interval and 1 ms", seed, err, d)
			}
			if wire := tl.Outage(timeline.BlackoutWire); math.Abs(wire.Value-truth) > s.Interval.Seconds()+0.001 {
				t.Errorf("seed %d: wire error %v s at %v", seed, wire.Value-truth, d)
			}
			guest := tl.Outage(timeline.BlackoutGuest)
			if math.Abs(guest.Value-truth) > 0.003 {
				t.Errorf("seed %d: guest error %v s at %v", seed, guest.Value-truth, d)
			}
			if t.Failed() {
				t.Fatalf("scenario %+v\n%+v\n%+v", s, client.Detail, guest.Detail)
			}
		}
	}
}
