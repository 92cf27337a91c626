package timeline_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"virtscope/analysis/timeline"
	"virtscope/results"

	"github.com/google/go-cmp/cmp"
)

// recorded reads the events of a real migration (testdata/qemu-10.0.2/README.md); the action returns 10 ms after the last.
func recorded(t *testing.T, name, algorithm string) *timeline.Timeline {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "qemu-10.0.2", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	const origin = int64(1_790_000_000_000_000_000)
	var list []results.Record
	add := func(at int64, host, source, name string, v float64, attrs map[string]string) {
		list = append(list, results.Record{Time: origin + at, Host: host, Source: source, Name: name, Value: v, Attrs: attrs})
	}
	add(0, "controller", results.SourceRunner, results.ActionBegin, 0, map[string]string{"action": "migrate", results.AttrAlgorithm: algorithm})
	var last int64
	for line := range strings.Lines(string(text)) {
		f := strings.SplitN(strings.TrimSpace(line), " ", 4)
		var at float64
		if err := json.Unmarshal([]byte(f[0]), &at); err != nil {
			t.Fatal(err)
		}
		var data struct {
			Status string  `json:"status"`
			Pass   float64 `json:"pass"`
		}
		if len(f) > 3 {
			if err := json.Unmarshal([]byte(f[3]), &data); err != nil {
				t.Fatal(err)
			}
		}
		last = int64(math.Round(at * 1e9))
		switch f[2] {
		case "STOP":
			add(last, f[1], results.SourceQMP, results.VMStop, 0, nil)
		case "RESUME":
			add(last, f[1], results.SourceQMP, results.VMResume, 0, nil)
		case "MIGRATION":
			add(last, f[1], results.SourceQMP, results.MigrationStatus, 0, map[string]string{"status": data.Status})
		case "MIGRATION_PASS":
			add(last, f[1], results.SourceQMP, results.PreCopyRound, data.Pass, nil)
		case "CANCEL":
			add(last, "controller", results.SourceRunner, results.Fault, 0, map[string]string{"kind": results.FaultCancel})
		case "KILL":
			add(last, "controller", results.SourceRunner, results.Fault, 0, map[string]string{"kind": results.FaultKillDestination})
		default:
			t.Fatalf("%s: %q is no event", name, line)
		}
	}
	add(last+10e6, "controller", results.SourceRunner, results.ActionEnd, 0, map[string]string{"action": "migrate"})
	tl, err := timeline.Build(results.Outcome{}, list)
	if err != nil {
		t.Fatal(err)
	}
	addUp(t, tl)
	return tl
}

func TestRecordedMigrations(t *testing.T) {
	const two, posted = "setup, pre-copy round 1, pre-copy round 2, stop-and-copy, ", "setup, pre-copy round 1, stop-and-copy, switch-over, post-copy, "
	for _, c := range []struct {
		name, algorithm, phases string
		total, downtime, rounds float64 // negative: unknown
	}{
		{"precopy", "precopy", two + "switch-over, completion", 1.220186, 0.008988, 2},
		{"auto-converge", "auto-converge", two + "switch-over, completion", 1.227709, 0.003163, 2},
		{"xbzrle", "xbzrle", two + "switch-over, completion", 1.224447, 0.011435, 2},
		{"postcopy", "postcopy", posted + "completion", 5.519975, 0.003451, 1},
		{"hybrid", "hybrid", posted + "completion", 0.432440, 0.004898, 1},
		{"postcopy-recovery", "hybrid", posted + "paused, recovery, post-copy, completion", 4.368041, 0.003202, 1},
		{"stop-and-copy", "stop-and-copy", "setup, stop-and-copy, switch-over, completion", 1.722799, 1.722301, 0},
		{"mapped-ram", "mapped-ram", two + "load, completion", 1.871639, 0.666187, 2},
		{"background-snapshot", "background-snapshot", "setup, stop, snapshot, completion", 0.147372, 0.000743, 0},
		{"cancel", "precopy", "setup, pre-copy round 1, cancelling, completion", -1, -1, 1},
		{"kill-destination", "precopy", "setup, pre-copy round 1, giving up", -1, -1, 1},
		{"kill-destination-in-postcopy", "hybrid", posted + "paused", -1, 0.003021, 1},
	} {
		tl := recorded(t, c.name, c.algorithm)
		if diff := cmp.Diff(c.phases, phaseNames(tl)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		for metric, want := range map[string]float64{timeline.TotalTime: c.total, timeline.Downtime: c.downtime, timeline.RoundCount: c.rounds} {
			m := tl.Metric(metric)
			if m.Known != (want >= 0) || m.Known && math.Abs(m.Value-want) > 1e-9 {
				t.Errorf("%s: %s = %+v, want %v", c.name, metric, m.Quantity, want)
			}
		}
	}
	near(t, recorded(t, "cancel", "precopy"), timeline.CancelTime, 0.409501-0.408131, 1e-9)
	near(t, recorded(t, "kill-destination", "precopy"), timeline.FailureDetection, 0.509890-0.501881, 1e-9)
	near(t, recorded(t, "kill-destination-in-postcopy", "hybrid"), timeline.FailureDetection, 0.701772-0.601827, 1e-9)
	if tl := recorded(t, "kill-destination-in-postcopy", "hybrid"); len(tl.Warnings) != 1 || !strings.Contains(tl.Warnings[0], "the guest is gone") {
		t.Errorf("a guest that is gone: %q", tl.Warnings)
	}
	near(t, recorded(t, "postcopy-recovery", "hybrid"), timeline.PostCopyPaused, 1.351507-0.801726, 1e-9)
	near(t, recorded(t, "postcopy", "postcopy"), timeline.PostCopyTime, 5.519975-0.006121, 1e-9)
}
