package timeline_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
	"virtscope/analysis/timeline"
	"virtscope/analysis/timeline/timelinetest"
)

// What came before the request is not the action's, but noise of the baseline.
func TestSilenceBeforeTheRequest(t *testing.T) {
	for seed := range uint64(24) {
		s := timelinetest.Default(seed)
		s.Usage = false
		head := time.Duration(20+50*seed) * time.Millisecond // up to 1.2 s
		s.Stalls = []timelinetest.Stall{{At: -head, For: head + 900*time.Millisecond}}
		tl := build(t, s)
		for _, name := range []string{timeline.BlackoutWire, timeline.BlackoutClient, timeline.BlackoutGuest} {
			o := tl.Outage(name)
			holds(t, o, 0.9)
			holds(t, o, 0.9+head.Seconds())
			if math.Abs(o.Value-0.9) > 0.005 {
				t.Errorf("%s = %v s, want the 0.9 s after the request", name, o.Value)
			}
			if math.Abs(o.Before-head.Seconds()) > 0.005 {
				t.Errorf("%s began %v s before the request, want %v", name, o.Before, head)
			}
			if !strings.Contains(strings.Join(o.Detail, "\n"), "before the request") || !strings.Contains(strings.Join(tl.Warnings, "\n"), name+": the silence began") {
				t.Errorf("%s: neither detail nor warning: %q, %q", name, o.Detail, tl.Warnings)
			}
			if math.Abs(o.Floor.Value-head.Seconds()) > 0.005 || o.Floor.Value > o.FloorLength {
				t.Errorf("%s: floor %+v in %v s, want %v", name, o.Floor, o.FloorLength, head)
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// A guest that is not silent before the request is not said to be, whatever its traffic.
func TestNoSilenceBeforeTheRequest(t *testing.T) {
	for seed := range uint64(32) {
		s := timelinetest.Default(seed)
		s.Usage, s.Outage = false, time.Millisecond
		tl := build(t, s)
		for _, o := range tl.Outages {
			if o.Before != 0 {
				t.Errorf("seed %d: %s is said to begin %v s before the request", seed, o.Name, o.Before)
			}
			if o.Floor.Known && o.Floor.Value > 0.004 {
				t.Errorf("seed %d: %s has a floor of %v s", seed, o.Name, o.Floor.Value)
			}
		}
	}
}

// From and To enclose the outage, and Raw is their distance, also where answers come late and all at once.
func TestEdgesEncloseTheOutage(t *testing.T) {
	for seed := range uint64(32) {
		s := timelinetest.Default(seed)
		s.Usage = false
		s.Buffered = seed%2 == 0
		s.Outage = 150 * time.Millisecond
		if seed%4 < 2 {
			s.Stalls = []timelinetest.Stall{{At: 1100 * time.Millisecond, For: 700 * time.Millisecond}} // around the stop
		}
		tl := build(t, s)
		stop := tl.Outage(timeline.Downtime)
		for _, name := range []string{timeline.BlackoutWire, timeline.BlackoutClient} {
			o := tl.Outage(name)
			if o.From > stop.From || o.To < stop.To {
				t.Errorf("seed %d: %s: [%d, %d] does not enclose the stop [%d, %d]", seed, name, o.From, o.To, stop.From, stop.To)
			}
			if o.Raw.Value != float64(o.To-o.From)/1e9 || o.Raw.Value < o.High-2e-9 {
				t.Errorf("seed %d: %s: raw gap %v s between edges %d ns apart, upper bound %v s", seed, name, o.Raw.Value, o.To-o.From, o.High)
			}
			if o.Switchover != nil {
				t.Errorf("seed %d: %s: %q", seed, name, o.Detail)
			}
		}
	}
}

// An agent that was stuck until after the observation still reports what it missed.
func TestStuckAgentIsHeardLater(t *testing.T) {
	for seed := range uint64(16) {
		s := timelinetest.Default(seed)
		s.Usage = false
		for _, at := range []time.Duration{-2100 * time.Millisecond, 600 * time.Millisecond} {
			s.Stuck = []timelinetest.Stall{{At: at, For: 2600*time.Millisecond - at}}
			o := build(t, s).Outage(timeline.BlackoutGuest)
			holds(t, o, 2.6-max(0, at.Seconds()))
			if got := 2.6 - max(0, at.Seconds()); math.Abs(o.Value-got) > 0.03 {
				t.Errorf("blackout.guest = %v s, want %v", o.Value, got)
			}
			if at < 0 && (!o.Floor.Known || o.Floor.Value < 1.95 || o.Floor.Value > o.FloorLength) {
				t.Errorf("floor = %+v, want the whole baseline", o.Floor)
			}
		}
		s.Stuck = []timelinetest.Stall{{At: 1600 * time.Millisecond, For: time.Hour}}
		if o := build(t, s).Outage(timeline.BlackoutGuest); o.Known {
			t.Errorf("an agent that was not heard again: %+v", o.Quantity)
		}
	}
}

// A stall such as emulated guests have, at the end of the observation, hides nothing.
func TestStallAtTheEnd(t *testing.T) {
	s := timelinetest.Default(3)
	s.Stuck = []timelinetest.Stall{{At: 1900 * time.Millisecond, For: 700 * time.Millisecond}}
	o := build(t, s).Outage(timeline.BlackoutGuest)
	holds(t, o, 0.7)
	if math.Abs(o.Value-0.7) > 0.005 {
		t.Errorf("blackout.guest = %v s, want 0.7", o.Value)
	}
}

func TestDisagreementAsJSON(t *testing.T) {
	s := timelinetest.Default(2)
	s.Stalls = []timelinetest.Stall{{At: 300 * time.Millisecond, For: 700 * time.Millisecond}}
	text, err := json.Marshal(build(t, s))
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		Disagreements []struct {
			Long, Short struct {
				Name  string
				Value float64
			}
			Noise float64 `json:"noise_s"`
		}
	}
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	for _, d := range back.Disagreements {
		if d.Long.Name == "" || d.Short.Name == "" || d.Long.Value-d.Noise <= d.Short.Value {
			t.Errorf("%+v", d)
		}
	}
	if len(back.Disagreements) == 0 {
		t.Error("there is none")
	}
}

// A guest whose clock runs at another rate than the host's is told of; one that merely drifts is not.
func TestWrongClock(t *testing.T) {
	for _, c := range []struct {
		drift float64
		want  string
	}{{0, ""}, {200e-6, ""}, {-0.94, "ran at 16.7 of the host's rate"}, {0.25, "ran at 0.8 of the host's rate"}} {
		s := timelinetest.Default(1)
		s.Usage, s.Drift = false, c.drift
		said := strings.Join(build(t, s).Warnings, "\n")
		if got := strings.Contains(said, "the guest's clock ran at"); got != (c.want != "") || !strings.Contains(said, c.want) {
			t.Errorf("drift %v: %q", c.drift, said)
		}
	}
}
