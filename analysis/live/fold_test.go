package live

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

const ms = int64(1e6)

// scene builds records by hand; times are in ms.
type scene []results.Record

func (s *scene) add(at int64, host, source, name string, value float64, attrs ...string) {
	r := results.Record{Time: at * ms, Host: host, Source: source, Name: name, Value: value}
	for i := 0; i+1 < len(attrs); i += 2 {
		if r.Attrs == nil {
			r.Attrs = map[string]string{}
		}
		r.Attrs[attrs[i]] = attrs[i+1]
	}
	*s = append(*s, r)
}

func migrating() *scene {
	s := &scene{}
	s.add(1000, "controller", "runner", results.TrialState, 0, "state", results.StateAction)
	s.add(1000, "controller", "runner", results.ActionBegin, 0, "action", "migrate", "algorithm", "precopy", "client", "third")
	return s
}

func (s *scene) trial() *trial {
	t := newTrial(results.Trial{ID: "a", Order: 1}, 1, time.Unix(0, 0), nil)
	t.addAll(*s)
	return t
}

func same(t *testing.T, what string, q quantity.Quantity, want float64, censored bool) {
	t.Helper()
	if !q.Known || math.Abs(q.Value-want) > 1e-9 || q.Censored != censored {
		t.Errorf("%s: %+v, want %v, censored %v", what, q, want, censored)
	}
}

func unknown(t *testing.T, what string, q quantity.Quantity, why string) {
	t.Helper()
	if q.Known || !strings.Contains(q.Why, why) {
		t.Errorf("%s: %+v, want it unknown: %s", what, q, why)
	}
}

func TestDowntime(t *testing.T) {
	type event struct {
		at   int64
		host string
		name string
	}
	stop, resume := results.VMStop, results.VMResume
	for name, c := range map[string]struct {
		events   []event
		until    int64
		want     float64
		censored bool
		why      string
	}{
		"not stopped":       {nil, 2000, 0, false, "has not stopped"},
		"just stopped":      {[]event{{2000, "src", stop}}, 2010, 0, false, "just been stopped"},
		"goes on":           {[]event{{2000, "src", stop}}, 2300, 0.28, true, ""},
		"moved":             {[]event{{2000, "src", stop}, {2120, "dst", resume}}, 3000, 0.12, false, ""},
		"resume came first": {[]event{{2000, "src", results.PreCopyRound}, {2120, "dst", resume}, {2100, "src", stop}}, 3000, 0.02, false, ""},
		"rolled back":       {[]event{{2000, "src", stop}, {2500, "src", resume}}, 3000, 0.5, false, ""},
		"the last stop before it moved": {
			[]event{{2000, "src", stop}, {2010, "src", resume}, {2400, "src", stop}, {2420, "dst", resume}, {2900, "src", stop}}, 3000, 0.02, false, "",
		},
		"stopped again": {[]event{{2000, "src", stop}, {2010, "src", resume}, {2400, "src", stop}}, 2450, 0.03, true, ""},
	} {
		s := migrating()
		for _, e := range c.events {
			s.add(e.at, e.host, "qmp", e.name, 0)
		}
		s.add(c.until, "machine", "usage", results.HostCPU, 1)
		q := s.trial().downtime()
		if c.why != "" {
			unknown(t, name, q, c.why)
			continue
		}
		same(t, name, q, c.want, c.censored)
	}
}

// A stop and a resume on hosts whose clocks differ.
func TestClocksThatDiffer(t *testing.T) {
	s := &scene{}
	s.add(0, "controller", "runner", results.ClockOffset, 0.25, "host", "dst", "bound", "0.001")
	*s = append(*s, *migrating()...)
	s.add(2000, "src", "qmp", results.VMStop, 0)
	s.add(2350, "dst", "qmp", results.VMResume, 0)
	same(t, "downtime", s.trial().downtime(), 0.1, false)
}

func TestSeveralGuestsHaveNoOneDowntime(t *testing.T) {
	s := migrating()
	s.add(2000, "src", "qmp", results.VMStop, 0, "guest", "guest-1")
	s.add(2100, "src", "qmp", results.VMStop, 0, "guest", "guest-2")
	unknown(t, "downtime", s.trial().downtime(), "several guests")
}

func TestBars(t *testing.T) {
	s := migrating()
	flow := func(at int64, bytes float64) {
		s.add(at, "switch", results.SourceCaptureSwitch, results.FlowBytes, bytes, "flow", "migration", "dir", "forward", "bin", "0.001")
	}
	s.add(1000, "switch", results.SourceCaptureSwitch, results.GuestFrame, 60, "port", "src")
	flow(1100, 1000)
	flow(1399, 3000)
	flow(1399, 500) // the same bin, told twice
	s.add(1420, "switch", results.SourceCaptureSwitch, results.FlowBytes, 9e9, "flow", "migration", "dir", "reverse", "bin", "0.001")
	s.add(1900, "switch", results.SourceCaptureSwitch, results.GuestFrame, 60, "port", "src")
	tr := s.trial()
	// 0.9 s: before the capture told of anything; 1.0 s: nothing passed; 1.4 s on: bins may still be on their way.
	got := tr.flow.last(8, 1, 1600*ms)
	want := []float64{math.NaN(), 0, 10000, 0, 35000, math.NaN(), math.NaN(), math.NaN()}
	for i, w := range want {
		switch {
		case math.IsNaN(w) && got[i].Known, !math.IsNaN(w) && (!got[i].Known || got[i].Value != w):
			t.Errorf("bar %d: %+v, want %v", i, got[i], w)
		}
	}
	// The capture's end tells that the rest was empty.
	tr.add(&results.Record{Time: 2000 * ms, Host: "switch", Source: results.SourceCaptureSwitch, Name: results.CaptureFrames, Value: 5})
	if q := tr.flow.last(1, 1, 1600*ms)[0]; !q.Known || q.Value != 0 {
		t.Errorf("after the capture ended: %+v", q)
	}
	bars, top := spark(got)
	if bars != "░ ▃ █░░░" || top.Value != 35000 {
		t.Errorf("drawn as %q up to %v", bars, top)
	}
}

func TestACaptureThatFailedTellsNothing(t *testing.T) {
	s := migrating()
	s.add(1000, "switch", results.SourceCaptureSwitch, results.GuestFrame, 60, "port", "src")
	s.add(1100, "switch", results.SourceCaptureSwitch, results.FlowBytes, 10, "flow", "migration", "dir", "forward", "bin", "0.001")
	s.add(1200, "switch", results.SourceCaptureSwitch, results.ProbeFailed, 0, "error", "ring")
	s.add(2000, "switch", results.SourceCaptureSwitch, results.CaptureFrames, 5)
	tr := s.trial()
	if q := tr.flow.last(1, 1, 1600*ms)[0]; q.Known {
		t.Errorf("a bar after the failure: %+v", q)
	}
	if len(tr.troubles) != 1 {
		t.Errorf("troubles %v", tr.troubles)
	}
}

func TestBinsKeepOnlyTheLast(t *testing.T) {
	var b bins
	b.from, b.until = 1, math.MaxInt64
	for _, slot := range []int64{10, slots + 20, slots + 21, 3 * slots, 3*slots - 5, 3} {
		b.put(slot, float64(slot))
	}
	for slot, want := range map[int64]float64{3 * slots: 3 * slots * 10, 3*slots - 5: (3*slots - 5) * 10, 3*slots - 1: 0} {
		if q := b.rate(slot, 1); !q.Known || q.Value != want {
			t.Errorf("slot %d: %+v, want %v", slot, q, want)
		}
	}
	if q := b.rate(2*slots, 1); q.Known {
		t.Errorf("a slot that was given up: %+v", q)
	}
}

func TestConvergence(t *testing.T) {
	for name, c := range map[string]struct {
		dirty float64
		link  Link
		want  string
	}{
		"no rate yet":      {0, Link{Rate: 100}, "unknown"},
		"no link":          {50, Link{}, "unknown"},
		"slower":           {50, Link{Rate: 100}, "yes"},
		"faster":           {150, Link{Rate: 100}, "no"},
		"as fast":          {100, Link{Rate: 100}, "no"},
		"the lesser limit": {50, Link{Rate: 100, Most: 40}, "no"},
	} {
		s := migrating()
		s.add(1100, "src", "qmp", results.MigrationDirtyRate, c.dirty, "trigger", "poll")
		tr := s.trial()
		tr.link = &c.link
		var out Trial
		tr.converges(&out)
		if out.Converges != c.want {
			t.Errorf("%s: %s, %s", name, out.Converges, out.Why)
		}
	}
}

func TestTheBaselinesSilenceDoesNotCount(t *testing.T) {
	s := &scene{}
	frame := func(at int64) {
		s.add(at, "switch", results.SourceCaptureSwitch, results.GuestFrame, 60, "port", "src")
	}
	frame(100)
	frame(900)
	*s = append(*s, *migrating()...)
	frame(1100)
	frame(1150)
	s.add(1160, "switch", results.SourceCaptureSwitch, results.GuestFrame, 60, "port", "dst")
	s.add(1160, "switch", results.SourceCaptureSwitch, results.GuestAnnounce, 0, "port", "dst", "kind", "rarp")
	frame(1400)
	same(t, "silence so far", s.trial().silent(), 0.25, true)
	s.add(1500, "controller", "runner", results.TrialState, 0, "state", results.StateCollect)
	same(t, "silence", s.trial().silent(), 0.25, false)
}

func TestFiguresOfTreatments(t *testing.T) {
	plan := []results.Trial{{ID: "1", Order: 1, Treatment: "x"}, {ID: "2", Order: 2, Treatment: "x"}, {ID: "3", Order: 3, Treatment: "x"}, {ID: "4", Order: 4, Treatment: "y"}}
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	r := NewRun(results.Manifest{Run: "r"}, plan, nil)
	r.Process(Working, "")
	unknown(t, "left", r.View(at(0)).Left, "no trial has ended")
	r.Entry(results.Entry{Time: at(0), Event: results.RunBegin})
	trial := func(id string, attempt, begin, end int, v results.Verdict, stopped, resumed int64) {
		r.Entry(results.Entry{Time: at(begin), Event: results.TrialBegin, Trial: id, Attempt: attempt})
		s := migrating()
		s.add(stopped, "src", "qmp", results.VMStop, 0)
		if resumed != 0 {
			s.add(resumed, "dst", "qmp", results.VMResume, 0)
		}
		s.add(5000, "machine", "usage", results.HostCPU, 0)
		r.Records(*s)
		r.Entry(results.Entry{Time: at(end), Event: results.TrialDone, Trial: id, Attempt: attempt, Verdict: v})
	}
	trial("1", 1, 0, 10, results.Completed, 2000, 2100)
	trial("2", 1, 10, 20, results.Invalid, 2000, 2900) // ours: no datum
	trial("2", 2, 20, 30, results.Failed, 2000, 0)     // the guest never ran again: 3 s or more
	v := r.View(at(30))
	x := v.Treatments[0]
	if v.Completed != 1 || v.Failed != 1 || v.Invalid != 0 || x.N != 2 || v.Figure != "downtime" {
		t.Errorf("%+v", v)
	}
	if !x.Median.Known || !x.Median.Censored {
		t.Errorf("the median of 0.1 s and at least 3 s: %+v", x.Median)
	}
	same(t, "left", v.Left, 20, false)
	r.Entry(results.Entry{Time: at(30), Event: results.TrialBegin, Trial: "3", Attempt: 1})
	same(t, "left within a trial", r.View(at(34)).Left, 16, false)
}

func TestStates(t *testing.T) {
	plan := []results.Trial{{ID: "1", Order: 1, Treatment: "x"}}
	begin := results.Entry{Time: time.Unix(1, 0), Event: results.RunBegin}
	trial := results.Entry{Time: time.Unix(2, 0), Event: results.TrialBegin, Trial: "1", Attempt: 1}
	done := results.Entry{Time: time.Unix(3, 0), Event: results.TrialDone, Trial: "1", Attempt: 1, Verdict: results.Completed}
	end := results.Entry{Time: time.Unix(4, 0), Event: results.RunEnd}
	for name, c := range map[string]struct {
		process Process
		entries []results.Entry
		state   string
		advice  string
	}{
		"waiting":         {Working, nil, "waiting", "prepares"},
		"not begun":       {Gone, nil, "not begun", "--resume"},
		"running":         {Working, []results.Entry{begin, trial}, "running", ""},
		"killed":          {Gone, []results.Entry{begin, trial}, "killed", "--resume r"},
		"killed between":  {Gone, []results.Entry{begin, trial, done}, "killed", "--resume r"},
		"ended":           {Gone, []results.Entry{begin, trial, done, end}, "ended", ""},
		"ended early":     {Gone, []results.Entry{begin, end}, "ended", "1 of 1 trials were not run"},
		"gone on with":    {Working, []results.Entry{begin, end, begin}, "running", ""},
		"nobody can tell": {Unsure, []results.Entry{begin, trial}, "unknown", "whether a process still works on it is not known: no locks"},
		"begun or not":    {Unsure, nil, "unknown", "not known: no locks"},
		"ended, unsure":   {Unsure, []results.Entry{begin, trial, done, end}, "ended", ""},
		"gone on, unsure": {Unsure, []results.Entry{begin, end, begin}, "unknown", "not known: no locks"},
		"imported":        {Unsure, []results.Entry{trial, done}, "ended", ""},
	} {
		r := NewRun(results.Manifest{Run: "r"}, plan, nil)
		r.Process(c.process, map[Process]string{Unsure: "no locks"}[c.process])
		for _, e := range c.entries {
			r.Entry(e)
		}
		v := r.View(time.Unix(9, 0))
		if v.State != c.state || !strings.Contains(v.Advice, c.advice) || c.advice == "" && v.Advice != "" {
			t.Errorf("%s: %q, %q", name, v.State, v.Advice)
		}
	}
}

// Whoever reads lines is told when it is not known any more whether a process works on the run.
func TestNobodyCanTellAnyMore(t *testing.T) {
	r := NewRun(results.Manifest{Run: "r"}, nil, nil)
	for _, p := range []Process{Unsure, Working, Unsure, Unsure} {
		r.Process(p, "no locks")
	}
	if got := r.Lines(); len(got) != 1 || got[0].Text != "! whether a process still works on it is not known: no locks" {
		t.Errorf("%+v", got)
	}
}

// What guests and tools say cannot move the cursor, and wide characters fit.
func TestTextOfOthers(t *testing.T) {
	plan := []results.Trial{{ID: "1", Order: 1, Treatment: "言語=日本語\x1b[2J"}}
	r := NewRun(results.Manifest{Run: "走行"}, plan, nil)
	r.Entry(results.Entry{Time: time.Unix(1, 0), Event: results.RunBegin, Reason: "tool \x1b]0;x\a\u202e changed 漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字"})
	r.Entry(results.Entry{Time: time.Unix(2, 0), Event: results.TrialBegin, Trial: "1", Attempt: 1})
	r.Cut(errors.New("cut\r\nOFF"))
	for _, width := range []int{10, 20, 40, 80} {
		for _, line := range Draw(r.View(time.Unix(3, 0)), width, false) {
			if n := cells.StringWidth(line); n > width || strings.ContainsAny(line, "\x1b\a\r\n\u202e") {
				t.Errorf("%d cells of %d: %q", n, width, line)
			}
		}
	}
}

// FuzzFold: whatever records say, there is a screen, and what is not known is not drawn as 0.
func FuzzFold(f *testing.F) {
	seed, _ := json.Marshal(*migrating())
	f.Add(seed)
	f.Add([]byte(`[{"t":-9223372036854775808,"n":"flow.bytes","s":"capture/switch","v":1e308,"a":{"flow":"migration","dir":"forward","bin":"1e-1"}},{"t":9223372036854775807,"n":"flow.bytes","s":"capture/switch","v":-1,"a":{"flow":"migration","dir":"forward","bin":"0.1"}}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var list []results.Record
		if json.Unmarshal(data, &list) != nil {
			return
		}
		r := NewRun(results.Manifest{}, []results.Trial{{ID: "1", Order: 1}}, nil)
		r.Entry(results.Entry{Event: results.TrialBegin, Trial: "1", Attempt: 1})
		for i := range list {
			r.Records(list[i : i+1])
			for _, width := range []int{20, 80} {
				for _, line := range Draw(r.View(r.Newest()), width, false) {
					if cells.StringWidth(line) > width {
						t.Fatalf("wider than %d: %q", width, line)
					}
				}
			}
		}
		if _, err := r.View(r.Newest()).JSON(); err != nil {
			t.Fatal(err)
		}
	})
}

// What was said of an attempt that another one followed is not said of the trial.
func TestWarningsOfAttemptsThatDoNotCount(t *testing.T) {
	plan := []results.Trial{{ID: "1", Order: 1, Treatment: "x"}, {ID: "2", Order: 2, Treatment: "x"}}
	r := NewRun(results.Manifest{Run: "r"}, plan, nil)
	attempt := func(id string, n int, v results.Verdict, reason, warning string) []string {
		r.Entry(results.Entry{Time: time.Unix(1, 0), Event: results.TrialBegin, Trial: id, Attempt: n})
		r.Outcome(results.Outcome{Trial: results.Trial{ID: id, Order: int(id[0] - '0')}, Warnings: []string{warning}})
		r.Entry(results.Entry{Time: time.Unix(2, 0), Event: results.TrialDone, Trial: id, Attempt: n, Verdict: v, Reason: reason})
		return r.View(time.Unix(3, 0)).Warnings
	}
	attempt("1", 1, results.Completed, "", "a")
	got := attempt("2", 1, results.Interrupted, "interrupted", "b")
	if want := []string{"trial 1: a", "trial 2: b", "trial 2 interrupted: interrupted"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	r.Entry(results.Entry{Time: time.Unix(2, 0), Event: results.RunBegin, Reason: "another version"})
	got = attempt("2", 2, results.Completed, "", "c")
	if want := []string{"trial 1: a", "another version", "trial 2: c"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAge(t *testing.T) {
	r := NewRun(results.Manifest{Run: "r"}, []results.Trial{{ID: "1", Order: 1}}, nil)
	r.Entry(results.Entry{Time: time.Unix(100, 0), Event: results.RunBegin})
	aged := func(p Process, now int64) View {
		r.Process(p, "")
		v := r.View(time.Unix(now, 0))
		r.Aged(&v, time.Unix(now, 0))
		return v
	}
	unknown(t, "it goes on", aged(Working, 300).Age, "it goes on")
	for now, want := range map[int64]string{130: "30 s ago", 300: "3 min ago", 100 + 2*3600: "2 h ago", 100 + 9*86400: "9 days ago"} {
		v := aged(Gone, now)
		same(t, "killed", v.Age, float64(now-100), false)
		if line := Draw(v, 80, false)[0]; !strings.Contains(line, "killed · last heard of "+want) {
			t.Errorf("%q, want %s", line, want)
		}
	}
	r.Entry(results.Entry{Time: time.Unix(120, 0), Event: results.RunEnd})
	if line := Draw(aged(Gone, 310), 80, false)[0]; !strings.Contains(line, "r · ended 3 min ago · ") {
		t.Errorf("%q", line)
	}
	unknown(t, "another clock", aged(Gone, 110).Age, "by this clock")
}

// A trial that takes longer than others did is not about to end.
func TestLeftOfALongTrial(t *testing.T) {
	plan := []results.Trial{{ID: "1", Order: 1}, {ID: "2", Order: 2}, {ID: "3", Order: 3}}
	r := NewRun(results.Manifest{Run: "r"}, plan, nil)
	r.Process(Working, "")
	r.Entry(results.Entry{Time: time.Unix(1, 0), Event: results.RunBegin})
	for i, p := range plan[:2] {
		r.Entry(results.Entry{Time: time.Unix(int64(10*i), 0), Event: results.TrialBegin, Trial: p.ID})
		r.Entry(results.Entry{Time: time.Unix(int64(10*i+5), 0), Event: results.TrialDone, Trial: p.ID, Verdict: results.Completed})
		r.Entry(results.Entry{Time: time.Unix(int64(10*i+5), 0), Event: results.TrialBegin, Trial: plan[i+1].ID})
		want := "0:05 left"
		if i == 1 {
			want = "not known, this trial takes longer"
		}
		if text := strings.Join(Draw(r.View(time.Unix(int64(10*i+11), 0)), 80, false), "\n"); !strings.Contains(text, want) {
			t.Errorf("no %q: %s", want, text)
		}
	}
}

// Times that the watcher's clock cannot tell are not drawn as 0.
func TestAClockThatIsBehind(t *testing.T) {
	r := NewRun(results.Manifest{Run: "r"}, []results.Trial{{ID: "1", Order: 1}}, nil)
	r.Process(Working, "")
	r.Entry(results.Entry{Time: time.Unix(100, 0), Event: results.RunBegin})
	r.Entry(results.Entry{Time: time.Unix(100, 0), Event: results.TrialBegin, Trial: "1", Attempt: 1})
	s := scene{}
	s.add(100_000, "controller", "runner", results.TrialState, 0, "state", results.StateBoot)
	r.Records(s)
	v := r.View(time.Unix(90, 0))
	for what, q := range map[string]quantity.Quantity{"the run": v.Elapsed, "the trial": v.Trial.Elapsed, "the state": v.Trial.In, "the newest record": v.Trial.Behind} {
		unknown(t, what, q, "by the clock")
	}
	if text := strings.Join(Draw(v, 80, false), "\n"); strings.Contains(text, "0:00") || strings.Contains(text, "0.0 s") {
		t.Errorf("it draws\n%s", text)
	}
}

// Of one trial alone, nothing is said of others, nor of when all end.
func TestOneTrialAlone(t *testing.T) {
	plan := []results.Trial{{ID: "1", Order: 1, Treatment: "x"}, {ID: "2", Order: 2, Treatment: "x"}}
	r := NewRun(results.Manifest{Run: "r"}, plan, nil)
	r.Only(2)
	r.Replay(true)
	r.Elsewhere(results.Entry{Event: results.TrialDone, Trial: "1", Verdict: results.Completed})
	r.Entry(results.Entry{Time: time.Unix(1, 0), Event: results.TrialBegin, Trial: "2", Attempt: 1})
	v := r.View(time.Unix(2, 0))
	unknown(t, "left", v.Left, "one trial alone")
	text := strings.Join(Draw(v, 80, false), "\n")
	if v.Only != 2 || len(v.Treatments) != 0 || strings.Contains(text, "so far") || strings.Contains(text, "left") {
		t.Errorf("%+v is drawn as\n%s", v.Treatments, text)
	}
	if !strings.Contains(text, "1 of 2 trials") {
		t.Errorf("the run's own count is not drawn:\n%s", text)
	}
}
