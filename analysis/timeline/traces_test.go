package timeline_test

import (
	"math"
	"testing"
	"virtscope/analysis/convergence"
	"virtscope/analysis/timeline"
	"virtscope/analysis/timeline/timelinetest"
	"virtscope/results"
)

func traced(t *testing.T, s timelinetest.Scenario) (*timeline.Timeline, map[string]timeline.Trace, []results.Record) {
	t.Helper()
	o, records := s.Make()
	tl, all, err := timeline.BuildTraced(o, records, convergence.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	byPanel := map[string]timeline.Trace{}
	for _, one := range all.List {
		if err := one.Check(); err != nil {
			t.Error(err)
		}
		if _, ok := byPanel[one.Panel]; !ok {
			byPanel[one.Panel] = one
		}
	}
	return tl, byPanel, records
}

// No probe is left out: an answered one has its round trip, and one that was lost is a gap at its place.
func TestEchoTrace(t *testing.T) {
	tl, byPanel, records := traced(t, timelinetest.Default(1))
	echo := byPanel[timeline.PanelEcho]
	values := map[int64]float64{}
	for i, at := range echo.T {
		values[at] = echo.V[i]
	}
	lost := 0
	for _, r := range records {
		at := r.Time - tl.ActionBegin.Time
		v, ok := values[at]
		switch r.Name {
		case results.EchoRTT:
			if !ok || math.Abs(v-r.Value) > 1e-9 {
				t.Fatalf("a probe at %d ns took %v s: the trace has %v", at, r.Value, v)
			}
		case results.EchoLost:
			lost++
			if !ok || !math.IsNaN(v) {
				t.Fatalf("a probe at %d ns was lost: the trace has %v", at, v)
			}
		}
	}
	if lost == 0 {
		t.Error("no probe was lost: the scenario shows nothing")
	}
}

// The rate over time holds all bytes of the records, and is 0 where nothing was captured.
func TestLinkTrace(t *testing.T) {
	o, records := timelinetest.Default(2).Make()
	whole, err := timeline.Build(o, records)
	if err != nil {
		t.Fatal(err)
	}
	from, to := whole.ActionBegin.Time+100e6, whole.ActionBegin.Time+200e6
	want := 0.0
	var kept []results.Record
	for _, r := range records {
		payload := r.Name == results.FlowPayload && r.Source == results.SourceCaptureSwitch && r.Attrs["flow"] == results.FlowMigration && r.Attrs["dir"] == "forward"
		if payload && r.Time >= from && r.Time < to {
			continue
		}
		if payload {
			want += r.Value
		}
		kept = append(kept, r)
	}
	if len(kept) == len(records) {
		t.Fatal("no bin is left out: the scenario shows nothing")
	}
	_, all, err := timeline.BuildTraced(o, kept, convergence.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	link := all.List[0]
	sum, still := 0.0, int64(0)
	for i := 1; i < len(link.T); i++ {
		sum += link.V[i] * float64(link.T[i]-link.T[i-1]) / 1e9
		if link.V[i] == 0 {
			still = max(still, link.T[i]-link.T[i-1])
		}
	}
	if link.Panel != timeline.PanelLink || want == 0 || math.Abs(sum/want-1) > 1e-9 {
		t.Errorf("%s: %v B, want %v", link.Panel, sum, want)
	}
	if still < 90e6 || still > 110e6 {
		t.Errorf("silent for %d ns at most, want 100 ms", still)
	}
}
