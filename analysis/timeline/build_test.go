package timeline_test

import (
	"bytes"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"virtscope/analysis/timeline"
	"virtscope/analysis/timeline/timelinetest"
	"virtscope/results"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s\nrun go test -update and look at the difference", path, diff)
	}
}

func TestWrite(t *testing.T) {
	lost := timelinetest.Default(7)
	lost.GoneFor = true
	blind := timelinetest.Default(7)
	blind.Echo, blind.Capture, blind.Usage, blind.Wire = false, false, false, false
	served := timelinetest.Default(7)
	served.Outage, served.Early = 400*time.Millisecond, 600*time.Millisecond
	served.Serve, served.Mirror = true, true
	gone := served
	gone.GoneFor, gone.Early = true, 0
	for name, s := range map[string]timelinetest.Scenario{
		"completed.txt": timelinetest.Default(7), "lost.txt": lost, "blind.txt": blind, "served.txt": served, "served-lost.txt": gone,
	} {
		var b bytes.Buffer
		if err := timeline.Write(&b, build(t, s)); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.Bytes())
	}
}

func TestPhasesOfAMigration(t *testing.T) {
	tl := build(t, timelinetest.Default(3))
	var names []string
	for _, s := range tl.Phases {
		names = append(names, s.Name)
	}
	want := []string{
		"setup", "pre-copy round 1", "pre-copy round 2", "pre-copy round 3", "pre-copy round 4",
		"stop-and-copy", "switch-over", "completion",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	// The synchronisation after STOP opens no round.
	if got := tl.Metric(timeline.RoundCount).Value; got != 4 {
		t.Errorf("rounds = %v, want 4", got)
	}
	if tl.Source != "src" || tl.Destination != "dst" {
		t.Errorf("from %q to %q", tl.Source, tl.Destination)
	}
}

func TestRoundBytes(t *testing.T) {
	s := timelinetest.Default(5)
	tl := build(t, s)
	if len(tl.Rounds) != 5 {
		t.Fatalf("%d rounds", len(tl.Rounds))
	}
	for _, r := range tl.Rounds[:4] {
		truth := s.Rate * r.Duration.Value
		if !r.Bytes.Known || truth < r.Bytes.Low-64 || truth > r.Bytes.High+64 {
			t.Errorf("%s: %+v, truth %v", r.Name, r.Bytes, truth)
		}
		if math.Abs(r.Bytes.Value-truth) > s.Rate*0.01 {
			t.Errorf("%s: %v B, truth %v B: off by more than a bin", r.Name, r.Bytes.Value, truth)
		}
		if !r.Transferred.Known || math.Abs(r.Transferred.Value-truth) > s.Rate*0.001 {
			t.Errorf("%s: the hypervisor's %+v, truth %v", r.Name, r.Transferred, truth)
		}
	}
	if last := tl.Rounds[4]; last.Name != timeline.PhaseStopAndCopy || last.N != 0 {
		t.Errorf("last row is %q", last.Name)
	}
}

// Every observer's noise floor must rise with the guest's stalls, and a stall must not be taken for the switch-over.
func TestStallsAreNoise(t *testing.T) {
	s := timelinetest.Default(11)
	s.Outage = 20 * time.Millisecond
	s.Buffered = true
	s.Stalls = []timelinetest.Stall{
		{At: -1500 * time.Millisecond, For: 600 * time.Millisecond}, {At: 300 * time.Millisecond, For: 400 * time.Millisecond},
	}
	tl := build(t, s)
	for _, name := range []string{timeline.BlackoutWire, timeline.BlackoutClient, timeline.BlackoutGuest} {
		o := tl.Outage(name)
		holds(t, o, 0.4)
		floor := o
		floor.Quantity = o.Floor
		holds(t, floor, 0.6)
		if name == timeline.BlackoutGuest {
			continue
		}
		if o.Switchover == nil {
			t.Errorf("%s: the stall is not told from the switch-over", name)
			continue
		}
		o.Quantity = *o.Switchover
		holds(t, o, 0.02)
	}
	if tl.Outage(timeline.Downtime).Value > 0.021 {
		t.Errorf("downtime %v", tl.Outage(timeline.Downtime))
	}
	for _, d := range tl.Disagreements {
		t.Errorf("a stall below the noise floor is called a disagreement: %s", d)
	}
}

func TestDisagreementIsFlagged(t *testing.T) {
	s := timelinetest.Default(2)
	s.Stalls = []timelinetest.Stall{{At: 300 * time.Millisecond, For: 700 * time.Millisecond}}
	tl := build(t, s)
	found := false
	for _, w := range tl.Disagreements {
		found = found || w.Long.Name == timeline.BlackoutClient && w.Short.Name == timeline.Downtime && w.Long.Value > w.Short.Value
		if text := w.String(); !strings.HasPrefix(text, w.Long.Name+" ") || !strings.Contains(text, " against "+w.Short.Name+" ") {
			t.Errorf("%+v is written as %q", w, text)
		}
	}
	if !found {
		t.Errorf("no warning that blackout.client and downtime differ: %v", tl.Disagreements)
	}
}

func TestGuestLost(t *testing.T) {
	s := timelinetest.Default(4)
	s.GoneFor = true
	tl := build(t, s)
	for _, name := range []string{timeline.Downtime, timeline.BlackoutWire, timeline.BlackoutClient} {
		if o := tl.Outage(name); !o.Known || !o.Censored || o.Value < 1.4 || o.Value > 1.6 {
			t.Errorf("%s = %+v, want at least some 1.5 s, censored", name, o.Quantity)
		}
	}
	if o := tl.Outage(timeline.BlackoutGuest); o.Known {
		t.Errorf("blackout.guest = %+v, want unknown", o.Quantity)
	}
	if m := tl.Metric(timeline.TotalTime); !m.Censored {
		t.Errorf("total = %+v, want censored", m)
	}
}

// A destination whose clock is off by a measured amount must give the same downtime, within a wider bound.
func TestClockOffset(t *testing.T) {
	o, records := timelinetest.Default(6).Make()
	plain, err := timeline.Build(o, records)
	if err != nil {
		t.Fatal(err)
	}
	const offset = 0.25
	for i := range records {
		if records[i].Host == "dst" {
			records[i].Time += int64(offset * 1e9)
		}
	}
	for host, v := range map[string]float64{"dst": offset + 0.0002, "src": 0, "switch": 0, "client": 0} {
		bound := "0"
		if v != 0 {
			bound = "0.0005"
		}
		records = append(records, results.Record{
			Time: records[0].Time, Host: "controller", Source: results.SourceRunner, Name: results.ClockOffset, Value: v,
			Unit: results.Seconds, Attrs: map[string]string{"host": host, "bound": bound},
		})
	}
	moved, err := timeline.Build(o, records)
	if err != nil {
		t.Fatal(err)
	}
	d := moved.Outage(timeline.Downtime)
	holds(t, d, plain.Outage(timeline.Downtime).Value)
	if width := d.High - d.Low; width < 0.001 || width > 0.0011 {
		t.Errorf("bounds are %v s wide, want 2 × 0.5 ms and the stamps", width)
	}
}

func TestBuildWithNothing(t *testing.T) {
	tl, err := timeline.Build(results.Outcome{Verdict: results.Invalid, Reason: "no host"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range tl.Metrics {
		if m.Known && m.Name != timeline.OverheadTime && m.Name != timeline.RecordDrops {
			t.Errorf("%s = %v out of nothing", m.Name, m.Value)
		}
		if !m.Known && m.Why == "" {
			t.Errorf("%s is unknown without a reason", m.Name)
		}
	}
	if err := timeline.Write(&bytes.Buffer{}, tl); err != nil {
		t.Fatal(err)
	}
}

func TestBuildRefusesNonsense(t *testing.T) {
	for _, r := range []results.Record{
		{Time: -1, Name: results.VMStop},
		{Time: math.MaxInt64, Name: results.VMStop},
		{Time: 1, Name: results.EchoRTT, Value: math.NaN()},
		{Time: 1, Name: results.ClockOffset, Value: 1, Attrs: map[string]string{"host": "a", "bound": "-1"}},
	} {
		if _, err := timeline.Build(results.Outcome{}, []results.Record{r}); err == nil {
			t.Errorf("%+v is taken", r)
		}
	}
}

// Whatever the order of the events, phases and states add up exactly and none is negative or overlaps.
func TestPhasesAddUp(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		o, records := randomTrial(rng)
		tl, err := timeline.Build(o, records)
		if err != nil {
			t.Fatal(err)
		}
		addUp(t, tl)
	}
}

func addUp(t *testing.T, tl *timeline.Timeline) {
	t.Helper()
	for _, c := range []struct {
		name       string
		begin, end timeline.Edge
		spans      []timeline.Span
	}{{"states", tl.Begin, tl.End, tl.States}, {"phases", tl.ActionBegin, tl.ActionEnd, tl.Phases}} {
		if got := timeline.Total(c.spans); int64(got) != c.end.Time-c.begin.Time {
			t.Errorf("%s add up to %v, want %d ns", c.name, got, c.end.Time-c.begin.Time)
		}
		at := c.begin.Time
		for _, s := range c.spans {
			if s.Duration() < 0 || s.Start.Time != at {
				t.Errorf("%s: %s begins at %d, the one before ended at %d", c.name, s.Name, s.Start.Time, at)
			}
			at = s.End.Time
		}
	}
}

func randomTrial(rng *rand.Rand) (results.Outcome, []results.Record) {
	names := []string{
		results.VMStop, results.VMResume, results.MigrationStatus, results.PreCopyRound, results.PreCopyRound,
		results.ActionBegin, results.ActionEnd, results.TrialState, results.TrialEnd,
	}
	states := []string{"boot", "baseline", "action", "quiesce"}
	statuses := []string{"setup", "active", "completed", "failed"}
	var records []results.Record
	for range rng.IntN(24) {
		name := names[rng.IntN(len(names))]
		r := results.Record{
			Time: 1_700_000_000_000_000_000 + rng.Int64N(1000), Host: []string{"src", "dst"}[rng.IntN(2)], Name: name,
			Source: []string{results.SourceQMP, results.SourceRunner}[rng.IntN(2)], Value: float64(rng.IntN(5)),
			Attrs: map[string]string{"state": states[rng.IntN(4)], "status": statuses[rng.IntN(4)], "action": "migrate"},
		}
		records = append(records, r)
	}
	return results.Outcome{Begin: time.Unix(1_700_000_000, rng.Int64N(500)), End: time.Unix(1_700_000_000, 500+rng.Int64N(500))}, records
}
