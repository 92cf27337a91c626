package guestperf

import (
	"encoding/json"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"virtscope/analysis/timeline"
	"virtscope/results"
)

// The fixtures have guestperf's layout. Their replies to query-migrate are QEMU 10.0.2's own, from
// testbed/guest/qemu/testdata, put into it as engine.py does; the CPU times are made up. cancelled.json has the keys of a
// guestperf before QEMU 8.1.
func load(t testing.TB, name string) *Report {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCompleted(t *testing.T) {
	trial := load(t, "completed.json").Trial()
	trial.Outcome.Trial.ID = "001"
	if trial.Outcome.Verdict != results.Completed {
		t.Errorf("verdict %s", trial.Outcome.Verdict)
	}
	tl, err := timeline.Build(trial.Outcome, trial.Records)
	if err != nil {
		t.Fatal(err)
	}
	// The source's own event of the setup came at 37.506471 s (precopy-10.0.2-src.log).
	began := time.Date(2026, 11, 21, 1, 33, 37, 506471000, time.UTC)
	if off := time.Unix(0, tl.ActionBegin.Time).Sub(began); off < -2*time.Millisecond || off > 2*time.Millisecond {
		t.Errorf("the migration begins %s beside the source's event", off)
	}
	for name, want := range map[string]float64{
		timeline.TotalReported: 3.4, timeline.DowntimeReported: 0.055, timeline.BytesTransferred: 162380361,
		timeline.PagesNormal: 39447, timeline.PagesZero: 35282,
	} {
		if q := tl.Metric(name); !q.Known || math.Abs(q.Value-want) > 1e-9 {
			t.Errorf("%s: got %v (%s), want %v", name, q.Value, q.Why, want)
		}
	}
	if q := tl.Metric(timeline.CPUSource); !q.Known || q.Value < 2 || q.Value > 6 {
		t.Errorf("cpu of the source: %+v", q)
	}
	// What no report tells stays unknown, with a reason.
	for _, name := range []string{
		timeline.TotalTime, timeline.Downtime, timeline.BlackoutWire, timeline.BlackoutClient, timeline.BlackoutGuest, timeline.RoundCount,
		timeline.BytesPayload, timeline.CPUDestination, timeline.MemoryVerified, timeline.MemoryCorrupt, timeline.OverheadTime, timeline.ProbesCPU,
	} {
		if q := tl.Metric(name); q.Known || q.Why == "" {
			t.Errorf("%s: got %+v, want unknown with its reason", name, q)
		}
	}
}

// TestRecordsAreTheReports: each figure in the unit of its name, and none where guestperf's 0 stands for none.
func TestRecordsAreTheReports(t *testing.T) {
	got := map[string][]float64{}
	for _, r := range load(t, "cancelled.json").Trial().Records {
		if r.Source == results.SourceQMP {
			name := r.Name
			if kind := r.Attrs["kind"]; kind != "" {
				name += " " + kind
			}
			got[name] = append(got[name], r.Value)
		}
	}
	for name, want := range map[string][]float64{
		results.MigrationTransferred:       {5124157, 121754555, 143162164, 148283984}, // not in the replies without memory, the first and the last
		results.MigrationSyncCount:         {1, 2, 3, 5},
		results.MigrationPages + " normal": {1248, 29621, 34806, 36054},
		results.MigrationPages + " zero":   {239, 35173, 35282, 35282},
		results.MigrationDirtyRate:         {0, 2414 * 4096, 2414 * 4096, 2414 * 4096},
		results.MigrationRate:              {0, 408.44088e6 / 8, 409.7448e6 / 8, 409.7448e6 / 8},
		results.MigrationThrottle:          {0.3},
		results.ReportedTotalTime:          nil,
		results.ReportedDowntime:           nil,
	} {
		if !slices.EqualFunc(got[name], want, func(a, b float64) bool { return math.Abs(a-b) < 1e-6*max(1, b) }) {
			t.Errorf("%s: got %v, want %v", name, got[name], want)
		}
	}
}

func TestVerdicts(t *testing.T) {
	for status, want := range map[string]results.Verdict{
		"completed": results.Completed, "failed": results.Failed, "cancelled": results.Failed, "active": results.Invalid,
	} {
		r := load(t, "completed.json")
		r.Progress[len(r.Progress)-1].Status = status
		o := r.Trial().Outcome
		if o.Verdict != want || (o.Reason == "") != (want == results.Completed) {
			t.Errorf("%s: %s, %q", status, o.Verdict, o.Reason)
		}
	}
}

func TestBeginWithoutALook(t *testing.T) {
	r := load(t, "completed.json")
	r.Progress = r.Progress[len(r.Progress)-1:]
	at, note := r.begin()
	if want := nanoseconds(*r.Progress[0].Now - 3.4); at != want || !strings.Contains(note, "50 ms") {
		t.Errorf("got %d, want %d; %s", at, want, note)
	}
	*r.Progress[0].Duration = 0
	if _, note := r.begin(); !strings.Contains(note, "first look") {
		t.Errorf("got %q", note)
	}
}

func TestPlan(t *testing.T) {
	a, b, c := load(t, "completed.json"), load(t, "completed.json"), load(t, "cancelled.json")
	factors, trials := Plan([]*Report{a, b, c})
	if got := factorPaths(factors); !slices.Equal(got, []string{"scenario.auto_converge", "scenario.bandwidth"}) {
		t.Errorf("factors %v", got)
	}
	var ids []string
	for _, trial := range trials {
		ids = append(ids, trial.ID+" "+trial.Treatment)
	}
	want := []string{
		"001-auto_converge-false-bandwidth-47MiBps-r1 auto_converge=false,bandwidth=47MiB/s",
		"002-auto_converge-false-bandwidth-47MiBps-r2 auto_converge=false,bandwidth=47MiB/s",
		"003-auto_converge-true-bandwidth-12MiBps-r1 auto_converge=true,bandwidth=12MiB/s",
	}
	if !slices.Equal(ids, want) {
		t.Errorf("got %q", ids)
	}
	if factors, trials := Plan([]*Report{a}); len(factors) != 0 || trials[0].ID != "001-default-r1" {
		t.Errorf("one report: %v, %v", factors, trials)
	}
}

func factorPaths(factors []results.Factor) []string {
	var paths []string
	for _, f := range factors {
		paths = append(paths, f.Path)
	}
	return paths
}

func TestParseRefuses(t *testing.T) {
	for change, want := range map[string]string{
		"hardware": "want the keys hardware and scenario", "progress_history": "at least one entry",
	} {
		m := raw(t, "completed.json")
		delete(m, change)
		refuses(t, m, want)
	}
	first := func(m map[string]any) map[string]any { return m["progress_history"].([]any)[0].(map[string]any) }
	for want, change := range map[string]func(map[string]any){
		"progress_history[0]: want the key now":               func(m map[string]any) { delete(first(m), "now") },
		"progress_history[0]: want a status":                  func(m map[string]any) { first(m)["status"] = "" },
		"progress_history[0]: want now from":                  func(m map[string]any) { first(m)["now"] = 12 },
		"progress_history[1]: want now in order of time":      func(m map[string]any) { first(m)["now"] = 2e9 },
		"progress_history[0]: want the key ram.total_bytes":   func(m map[string]any) { delete(first(m)["ram"].(map[string]any), "total_bytes") },
		"progress_history[0]: want ram.total_bytes from 0 to": func(m map[string]any) { first(m)["ram"].(map[string]any)["total_bytes"] = -1 },
		"qemu_timings[0]: want the key value":                 func(m map[string]any) { delete(m["qemu_timings"].([]any)[0].(map[string]any), "value") },
	} {
		m := raw(t, "completed.json")
		change(m)
		refuses(t, m, want)
	}
	for _, text := range []string{"", "[]", "{}", "{}{}", "null", `{"hardware":{},"scenario":{},"progress_history":[{}]}`} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%q is taken for a report", text)
		}
	}
}

func raw(t testing.TB, name string) map[string]any {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]any{}
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func refuses(t *testing.T, m map[string]any, want string) {
	t.Helper()
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(data); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestEveryKeyOccurs: a key that is mapped occurs in a report, so that a typing error in a tag is found.
func TestEveryKeyOccurs(t *testing.T) {
	r := load(t, "completed.json")
	if r.Binary == "" || r.DstHost == "" || r.Kernel == "" || r.Initrd == "" || r.Transport == "" || r.Sleep == nil || len(r.GuestTimings) == 0 || r.Progress[0].Throttle == nil {
		t.Errorf("a key is not read: %+v", r)
	}
	for path := range maps.Keys(units) {
		if r.level(path) == notGiven {
			t.Errorf("there is no parameter %s", path)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"completed.json", "cancelled.json"} {
		m := raw(f, name)
		for _, list := range []string{"guest_timings", "qemu_timings", "vcpu_timings"} { // a short one is mutated sooner
			m[list] = m[list].([]any)[:2]
		}
		data, err := json.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"hardware":{"mem":1},"scenario":{"name":"x"},"progress_history":[{"status":"completed","now":1.5e9,"duration":1e12,"downtime":0,"setup_time":0,"ram":{"transferred_bytes":1,"remaining_bytes":0,"total_bytes":1,"duplicate_pages":0,"normal_pages":1,"normal_bytes":4096,"dirty_rate_pps":0,"transfer_rate_mbs":1,"iterations":1}}],"vcpu_timings":[{"tid":1,"timestamp":1.5e9,"value":1}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Parse(data)
		if err != nil {
			return
		}
		_, trials := Plan([]*Report{r, r})
		trial := r.Trial()
		trial.Outcome.Trial = trials[0]
		for _, rec := range trial.Records {
			if rec.Host == "" || rec.Source == "" || rec.Name == "" {
				t.Fatalf("a record lacks its name: %+v", rec)
			}
		}
		tl, err := timeline.Build(trial.Outcome, trial.Records)
		if err != nil {
			t.Fatal(err)
		}
		if d := timeline.Total(tl.States); d != time.Duration(tl.End.Time-tl.Begin.Time) {
			t.Fatalf("the states add up to %s of %s", d, time.Duration(tl.End.Time-tl.Begin.Time))
		}
	})
}
