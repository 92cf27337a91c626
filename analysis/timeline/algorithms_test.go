package timeline_test

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"virtscope/analysis/convergence"
	"virtscope/analysis/timeline"
	"virtscope/analysis/timeline/timelinetest"
	"virtscope/results"

	"github.com/google/go-cmp/cmp"
)

const ms = time.Millisecond

// by is a scenario of an algorithm.
func by(algorithm string, seed uint64) timelinetest.Scenario {
	s := timelinetest.Default(seed)
	s.Algorithm, s.Client = algorithm, "third"
	s.Usage = false
	switch algorithm {
	case results.AlgorithmPostCopy:
		s.Post = 1300 * ms
	case results.AlgorithmHybrid:
		s.Rounds, s.Post = 1, 700*ms
	case results.AlgorithmStopAndCopy:
		s.Outage = 1200 * ms
	case results.AlgorithmMappedRAM:
		s.Outage = 500 * ms
	case results.AlgorithmBackgroundSnapshot:
		s.Outage, s.Post = 5*ms, 900*ms
	}
	return s
}

var algorithms = []string{
	results.AlgorithmPreCopy, results.AlgorithmPostCopy, results.AlgorithmHybrid, results.AlgorithmXBZRLE, results.AlgorithmAutoConverge,
	results.AlgorithmStopAndCopy, results.AlgorithmMappedRAM, results.AlgorithmBackgroundSnapshot,
}

func phaseNames(tl *timeline.Timeline) string {
	var names []string
	for _, s := range tl.Phases {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}

func TestPhasesOfAlgorithms(t *testing.T) {
	const rounds = "pre-copy round 1, pre-copy round 2, pre-copy round 3, pre-copy round 4"
	paused := by(results.AlgorithmHybrid, 3)
	paused.Paused = timelinetest.Stall{At: 200 * ms, For: 300 * ms}
	cancelled := by(results.AlgorithmPreCopy, 3)
	cancelled.Cancel = 500 * ms
	killed := by(results.AlgorithmPreCopy, 3)
	killed.Kill = 500 * ms
	back := by(results.AlgorithmPreCopy, 3)
	back.Outage, back.Kill = 400*ms, 1400*ms
	for _, c := range []struct {
		name   string
		s      timelinetest.Scenario
		phases string
		rounds float64
	}{
		{"precopy", by(results.AlgorithmPreCopy, 3), "setup, " + rounds + ", stop-and-copy, switch-over, completion", 4},
		{"postcopy", by(results.AlgorithmPostCopy, 3), "setup, pre-copy round 1, stop-and-copy, switch-over, post-copy, completion", 1},
		{"hybrid", by(results.AlgorithmHybrid, 3), "setup, pre-copy round 1, stop-and-copy, switch-over, post-copy, completion", 1},
		{"paused", paused, "setup, pre-copy round 1, stop-and-copy, switch-over, post-copy, paused, recovery, post-copy, completion", 1},
		{"stop-and-copy", by(results.AlgorithmStopAndCopy, 3), "setup, stop-and-copy, switch-over, completion", 0},
		{"mapped-ram", by(results.AlgorithmMappedRAM, 3), "setup, " + rounds + ", stop-and-copy, load, completion", 4},
		{"background-snapshot", by(results.AlgorithmBackgroundSnapshot, 3), "setup, stop, snapshot, completion", 0},
		{"cancelled", cancelled, "setup, pre-copy round 1, cancelling, completion", 1},
		{"killed", killed, "setup, pre-copy round 1, giving up", 1},
		{"killed while stopped", back, "setup, " + rounds + ", stop-and-copy, giving up", 4},
	} {
		tl := build(t, c.s)
		addUp(t, tl)
		if diff := cmp.Diff(c.phases, phaseNames(tl)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		if q := tl.Metric(timeline.RoundCount); !q.Known || q.Value != c.rounds {
			t.Errorf("%s: rounds %+v, want %v", c.name, q.Quantity, c.rounds)
		}
		if len(tl.Missing) > 0 && c.s.Kill == 0 {
			t.Errorf("%s: missing %q", c.name, tl.Missing)
		}
	}
}

// Whatever the algorithm and the seed, the views hold the truth, packets and hypervisor agree, and no unknown lacks a reason.
func TestAlgorithms(t *testing.T) {
	for _, algorithm := range algorithms {
		for seed := range uint64(6) {
			s := by(algorithm, seed)
			s.Buffered = seed%2 == 0
			tl := build(t, s)
			truth := s.Outage.Seconds()
			for _, name := range []string{timeline.Downtime, timeline.BlackoutWire, timeline.BlackoutClient, timeline.BlackoutGuest} {
				holds(t, tl.Outage(name), truth)
			}
			if list := wireWarnings(tl); len(list) > 0 {
				t.Errorf("%q", list)
			}
			for _, c := range tl.Comparisons {
				if c.Judged && !c.Agrees {
					t.Errorf("%s: %+v", c.Name, c)
				}
			}
			for _, n := range tl.Notes {
				if strings.HasPrefix(n, "on the wire, round") {
					t.Error(n)
				}
			}
			for _, m := range tl.Metrics {
				if !m.Known && m.Why == "" || m.Known && (math.IsNaN(m.Value) || m.Low > m.Value || m.High < m.Value) {
					t.Errorf("%s = %+v", m.Name, m.Quantity)
				}
			}
			if t.Failed() {
				t.Fatalf("%s, seed %d", algorithm, seed)
			}
		}
	}
}

func near(t *testing.T, tl *timeline.Timeline, name string, want, slack float64) {
	t.Helper()
	if m := tl.Metric(name); !m.Known || m.Censored || math.Abs(m.Value-want) > slack {
		t.Errorf("%s = %+v, want %v", name, m.Quantity, want)
	}
}

func TestPostCopyMetrics(t *testing.T) {
	s := by(results.AlgorithmPostCopy, 1)
	tl := build(t, s)
	near(t, tl, timeline.PostCopyTime, 1.3, 1e-5)
	near(t, tl, timeline.PostCopyPaused, 0, 0)
	near(t, tl, timeline.TotalTime, 0.0141+0.08+1.3, 1e-4) // until the source is done, not until the guest runs
	near(t, tl, timeline.PagesRequested, 14, 0)
	near(t, tl, timeline.WirePagesRequested, 14, 0)
	near(t, tl, timeline.WireFault99, 1.31e-3, 0)
	if c := tl.Comparison(timeline.CompareRequests); !c.Judged || !c.Agrees {
		t.Errorf("%+v", c)
	}
	last := tl.Rounds[len(tl.Rounds)-1]
	if truth := s.Rate * 1.3; last.Name != timeline.PhasePostCopy || math.Abs(last.Bytes.Value-truth) > 0.01*truth {
		t.Errorf("last row %q: %+v, want %v B", last.Name, last.Bytes, truth)
	}
	s.Paused = timelinetest.Stall{At: 200 * ms, For: 300 * ms}
	near(t, build(t, s), timeline.PostCopyPaused, 0.3, 1e-5)
	tl = build(t, s)
	if c := tl.Comparison(timeline.CompareNormal); c.Judged || c.Note == "" {
		t.Errorf("counters of two streams are judged by one: %+v", c)
	}
}

// A pre-copy has no metrics of post-copy, and a trial that was recorded before algorithms were named has none of any.
func TestAbsentMetrics(t *testing.T) {
	for _, s := range []timelinetest.Scenario{by(results.AlgorithmPreCopy, 2), timelinetest.Default(2)} {
		tl := build(t, s)
		for _, m := range tl.Metrics {
			for _, prefix := range []string{"postcopy.", "xbzrle.", "throttle.", "pages.requested", "bytes.postcopy", "cancel.", "failure.", "wire.fault", "dirty.asked"} {
				if strings.HasPrefix(m.Name, prefix) {
					t.Errorf("%q has %s", s.Algorithm, m.Name)
				}
			}
		}
		if q := tl.Metric(timeline.BytesDowntime); q.Known != (s.Algorithm != "") {
			t.Errorf("%q: %+v", s.Algorithm, q)
		}
	}
}

func TestXBZRLEMetrics(t *testing.T) {
	tl := build(t, by(results.AlgorithmXBZRLE, 2))
	near(t, tl, timeline.XBZRLEHits, 0.75, 1e-12)
	near(t, tl, timeline.XBZRLEOverflow, 0.02, 1e-12)
	near(t, tl, timeline.XBZRLEBytes, 3<<20, 0)
	near(t, build(t, by(results.AlgorithmAutoConverge, 2)), timeline.ThrottleMax, 0.5, 0) // not the last, 0.4
}

// analysed builds a scenario within limits, with the records that more adds.
func analysed(t *testing.T, s timelinetest.Scenario, limits convergence.Limits, more ...results.Record) *timeline.Timeline {
	t.Helper()
	o, records := s.Make()
	tl, err := timeline.BuildWithin(o, append(records, more...), limits)
	if err != nil {
		t.Fatal(err)
	}
	return tl
}

func finding(t *testing.T, tl *timeline.Timeline, name string) convergence.Finding {
	t.Helper()
	for _, f := range tl.Convergence.Findings {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("no rule %s was asked", name)
	return convergence.Finding{}
}

// Memory is sent at 60 MiB/s throughout: post-copy's limit is judged, by what was sent in post-copy alone.
func TestPostCopyBandwidth(t *testing.T) {
	for _, capture := range []bool{true, false} {
		for _, algorithm := range []string{results.AlgorithmPostCopy, results.AlgorithmHybrid} {
			s := by(algorithm, 3)
			s.Capture, s.Wire = capture, capture
			f := finding(t, analysed(t, s, convergence.Limits{MaxBandwidth: 900 << 20, PostCopyBandwidth: 60 << 20}), convergence.BottleneckBandwidth)
			if !f.Holds || !strings.Contains(f.Text, "in post-copy") {
				t.Errorf("%s, capture %v: %+v", algorithm, capture, f)
			}
			f = finding(t, analysed(t, s, convergence.Limits{MaxBandwidth: 60 << 20, PostCopyBandwidth: 900 << 20}), convergence.BottleneckBandwidth)
			if want := algorithm == results.AlgorithmHybrid; f.Holds != want || !f.Known {
				t.Errorf("%s, capture %v: %+v, want %v of the limit before the switch", algorithm, capture, f, want)
			}
		}
	}
	s := by(results.AlgorithmHybrid, 3)
	s.Paused = timelinetest.Stall{At: 400 * ms, For: 300 * ms} // in which nothing is sent
	if f := finding(t, analysed(t, s, convergence.Limits{PostCopyBandwidth: 60 << 20}), convergence.BottleneckBandwidth); !f.Holds {
		t.Errorf("%+v", f)
	}
}

// Where something else passes the link, memory's own share does not tell that the link had room.
func TestBesideOnTheLink(t *testing.T) {
	s := by(results.AlgorithmPreCopy, 3)
	limits := convergence.Limits{Link: 100 << 20}
	if f := finding(t, analysed(t, s, limits), convergence.BottleneckLink); !f.Known || f.Holds {
		t.Errorf("%+v", f)
	}
	o, _ := s.Make()
	for _, c := range []struct {
		name, attr, value string
		known             bool
	}{
		{results.TrafficSent, "direction", "forward", false},
		{results.TrafficSent, "direction", "reverse", true},
		{results.FlowPayload, "flow", results.FlowDisk, false},
	} {
		r := results.Record{Time: o.Begin.UnixNano() + 4_700_000_000, Host: "switch", Source: results.SourceCaptureSwitch, Name: c.name, Value: 5000}
		r.Attrs = map[string]string{"dir": "forward", "bin": "0.01", c.attr: c.value}
		if f := finding(t, analysed(t, s, limits, r), convergence.BottleneckLink); f.Known != c.known {
			t.Errorf("%s %s: %+v", c.name, c.value, f)
		}
	}
}

func TestSnapshot(t *testing.T) {
	s := by(results.AlgorithmBackgroundSnapshot, 5)
	tl := build(t, s)
	near(t, tl, timeline.TotalTime, 0.02+0.005+0.9, 1e-4)
	near(t, tl, timeline.Downtime, 0.005, 1e-5)
	for _, d := range tl.Outage(timeline.Downtime).Detail {
		if strings.Contains(d, "rolled back") {
			t.Error(d)
		}
	}
}

// A guest that is stopped from without leaves no sign of it in the stream, which goes on as pre-copy.
func TestStoppedAfterRounds(t *testing.T) {
	for seed := range uint64(4) {
		s := by(results.AlgorithmPreCopy, seed)
		s.Held, s.Outage = true, 700*ms
		tl := build(t, s)
		near(t, tl, timeline.Downtime, 0.7, 1e-5)
		near(t, tl, timeline.RoundCount, 4, 0)
		for _, name := range []string{timeline.WireDowntime, timeline.WireStopError, timeline.WireRounds, timeline.WireDowntimeDiffer} {
			if q := tl.Metric(name); q.Known || !strings.Contains(q.Why, "on purpose in the middle of a round") {
				t.Errorf("%s = %+v of a stop that no packet shows", name, q.Quantity)
			}
		}
		if q := tl.Wire.Downtime; q.Known {
			t.Errorf("the packets tell a downtime: %+v", q)
		}
		if list := wireWarnings(tl); len(list) > 0 {
			t.Errorf("%q", list)
		}
		for _, n := range tl.Notes {
			if strings.HasPrefix(n, "on the wire, round") {
				t.Error(n)
			}
		}
		judged := 0
		for _, r := range tl.RoundComparisons {
			if r.Pages.Judged {
				judged++
			}
		}
		if judged != 3 {
			t.Errorf("%d rounds are judged, want those that were over when the guest was stopped: %+v", judged, tl.RoundComparisons)
		}
		c := tl.Convergence
		if !strings.HasPrefix(c.Answer, "it was not left to converge: the guest was stopped on purpose in round 4: ") || len(c.Predictions) > 0 {
			t.Errorf("%s, %+v", c.Answer, c.Predictions)
		}
		if diff := cmp.Diff("setup, pre-copy round 1, pre-copy round 2, pre-copy round 3, pre-copy round 4, stop-and-copy, switch-over, completion", phaseNames(tl)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestCancelledOnPurpose(t *testing.T) {
	s := by(results.AlgorithmPreCopy, 4)
	s.Cancel = 500 * ms
	tl := build(t, s)
	near(t, tl, timeline.CancelTime, 0.0014, 1e-5)
	near(t, tl, timeline.CancelStopped, 0, 0)
	if q := tl.Metric(timeline.TotalTime); q.Known || q.Why != "cancelled on purpose" {
		t.Errorf("total %+v", q.Quantity)
	}
	if q := tl.Outage(timeline.Downtime); q.Known {
		t.Errorf("downtime of a guest that was not stopped: %+v", q)
	}
	if o := tl.Outage(timeline.BlackoutClient); !o.Known || o.Value > 0.01 {
		t.Errorf("client %+v", o.Quantity)
	}
	if len(wireWarnings(tl)) > 0 || !strings.Contains(tl.Convergence.Answer, "cancelled on purpose") {
		t.Errorf("%q, %q", wireWarnings(tl), tl.Convergence.Answer)
	}
}

func TestDestinationKilled(t *testing.T) {
	s := by(results.AlgorithmPreCopy, 4)
	s.Kill = 500 * ms
	tl := build(t, s)
	near(t, tl, timeline.FailureDetection, 0.008, 1e-5)
	if q := tl.Metric(timeline.TotalTime); q.Known {
		t.Errorf("total %+v", q.Quantity)
	}
	s.Outage, s.Kill = 400*ms, 1400*ms
	tl = build(t, s)
	near(t, tl, timeline.FailureDetection, 0.008, 1e-5)
	near(t, tl, timeline.Downtime, 0.4, 1e-5)
}

// A migration that failed before the guest was stopped had no outage of its own yet: what was seen is a lower bound. One that was killed on purpose
// is observed for what that does.
func TestBlackoutOfAMigrationThatNeverSwitched(t *testing.T) {
	s := timelinetest.Default(7)
	o, records := s.Make()
	o.Verdict, o.Reason = results.Failed, "did not converge"
	records = slices.DeleteFunc(records, func(r results.Record) bool {
		return r.Name == results.VMStop || r.Name == results.VMResume || r.Name == results.MigrationStatus && r.Attrs["status"] == "completed"
	})
	tl, err := timeline.Build(o, records)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{timeline.BlackoutClient, timeline.BlackoutWire, timeline.BlackoutGuest, timeline.RoundCount, timeline.BytesPayload, timeline.CPUSource, timeline.WireBytes} {
		if q := tl.Metric(name); !q.Known || !q.Censored || q.Value <= 0 {
			t.Errorf("%s: %+v", name, q.Quantity)
		}
	}
	killed := timelinetest.Default(7)
	killed.Kill = 300 * ms
	for _, name := range []string{timeline.BlackoutClient, timeline.BytesPayload} {
		if q := build(t, killed).Metric(name); !q.Known || q.Censored {
			t.Errorf("killed on purpose: %s: %+v", name, q.Quantity)
		}
	}
}

// A trial fails if its guest's memory is corrupted, too: the migration completed all the same.
func TestFailedAfterTheMigration(t *testing.T) {
	for _, algorithm := range []string{results.AlgorithmPreCopy, results.AlgorithmPostCopy, results.AlgorithmBackgroundSnapshot} {
		s := by(algorithm, 4)
		want := build(t, s).Metric(timeline.TotalTime)
		o, records := s.Make()
		o.Verdict, o.Reason = results.Failed, "memory corrupted"
		tl, err := timeline.Build(o, records)
		if err != nil {
			t.Fatal(err)
		}
		if got := tl.Metric(timeline.TotalTime); !want.Known || got != want {
			t.Errorf("%s: total %+v, want %+v", algorithm, got.Quantity, want.Quantity)
		}
	}
	s := by(results.AlgorithmPostCopy, 4)
	o, records := s.Make()
	o.Verdict, o.Reason = results.Failed, "the guest was lost"
	records = slices.DeleteFunc(records, func(r results.Record) bool { // the source never was done
		return r.Name == results.MigrationStatus && r.Host == "src" && r.Attrs["status"] == "completed"
	})
	tl, err := timeline.Build(o, records)
	if err != nil {
		t.Fatal(err)
	}
	if q := tl.Metric(timeline.TotalTime); !q.Censored {
		t.Errorf("total %+v of a post-copy that did not end", q.Quantity)
	}
}

// Between a guest and a client on one host, frames do not pass the switch.
func TestClientBesideTheGuest(t *testing.T) {
	for client, known := range map[string]bool{"third": true, "source": false, "destination": false} {
		s := by(results.AlgorithmPreCopy, 6)
		s.Client = client
		o := build(t, s).Outage(timeline.BlackoutWire)
		if o.Known != known || !known && !strings.Contains(o.Why, client+" host") {
			t.Errorf("client at %s: %+v", client, o.Quantity)
		}
	}
	s := by(results.AlgorithmBackgroundSnapshot, 6)
	s.Client = "destination"
	if o := build(t, s).Outage(timeline.BlackoutWire); !o.Known {
		t.Errorf("a guest that stays at the source always sends over the switch: %+v", o.Quantity)
	}
}

func TestWorkloadCannotKeepUp(t *testing.T) {
	for asked, warns := range map[float64]bool{8 << 20: false, 10 << 20: true} {
		s := by(results.AlgorithmPreCopy, 6)
		s.Asked = asked
		tl := build(t, s)
		near(t, tl, timeline.DirtyShare, (8<<20)/asked, 1e-3)
		near(t, tl, timeline.DirtyAsked, asked, 0.1*asked)
		want := 0
		if warns {
			want = 1
		}
		if got := strings.Count(strings.Join(tl.Warnings, "\n"), "could not keep up"); got != want {
			t.Errorf("asked for %v: warned %d times: %q", asked, got, tl.Warnings)
		}
	}
}

func TestLinkDown(t *testing.T) {
	s := by(results.AlgorithmPreCopy, 6)
	s.LinkDown = timelinetest.Stall{At: 300 * ms, For: 200 * ms}
	tl := build(t, s)
	if len(tl.LinkDowns) != 1 || tl.LinkDowns[0].To-tl.LinkDowns[0].From != int64(200*ms) || tl.LinkDowns[0].Open {
		t.Errorf("%+v", tl.LinkDowns)
	}
	var b bytes.Buffer
	if err := timeline.Write(&b, tl); err != nil || !strings.Contains(b.String(), "migration-link of src: cut") {
		t.Errorf("%v: %s", err, b.String())
	}
}

func TestWriteAlgorithms(t *testing.T) {
	for _, algorithm := range []string{results.AlgorithmHybrid, results.AlgorithmStopAndCopy, results.AlgorithmBackgroundSnapshot} {
		s := by(algorithm, 7)
		s.Usage = true
		o, records := s.Make()
		tl, err := timeline.BuildWithin(o, records, convergence.Limits{DowntimeLimit: 0.3, MaxBandwidth: 64 << 20, WorkingSet: 32 << 20})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := timeline.Write(&b, tl); err != nil {
			t.Fatal(err)
		}
		golden(t, algorithm+".txt", b.Bytes())
	}
}
