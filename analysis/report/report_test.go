package report

import (
	"bytes"
	"encoding/csv"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"virtscope/analysis/convergence"
	"virtscope/analysis/timeline"
	"virtscope/analysis/timeline/timelinetest"
	"virtscope/analysis/validity"
	"virtscope/results"

	"github.com/google/go-cmp/cmp"
)

var (
	update  = flag.Bool("update", false, "rewrite the golden files")
	figures = flag.String("figures", "", "keep the figures and the report of the sample run in this folder")
)

// sample is a run of two treatments: three trials each, one of them failed, one invalid.
func sample(t *testing.T) Run {
	t.Helper()
	rates := []string{"4MiB/s", "32MiB/s"}
	r := Run{
		Noise: new(validity.Defaults()),
		Manifest: results.Manifest{
			Format: 1, Run: "quickstart-20260102-030405", Name: "quickstart", Seed: 1,
			Question: "How does the dirty rate change what a live migration costs?",
			Created:  time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), SpecHash: strings.Repeat("ab", 32),
			Tool:    results.Tool{Version: "v0.1.0", Revision: "0123456789ab", Go: "go1.26"},
			Factors: []results.Factor{{Path: "workload.rate", Levels: rates}},
			Facts:   []results.Fact{{Subject: "machine", Name: "kernel", Value: "6.1.0"}, {Subject: "qemu", Name: "version", Value: "10.0.2"}},
		},
		Spec:    "virtscope: 1\nname: quickstart\nfactors:\n  workload.rate: [4MiB/s, 32MiB/s]\n",
		Planned: 6,
	}
	for i := range 6 {
		s := timelinetest.Default(uint64(i))
		s.Outage = time.Duration(30+i%3*7+i/3*120) * time.Millisecond
		s.Buffered = true
		s.Stalls = []timelinetest.Stall{{At: -time.Second, For: time.Duration(8+3*i) * time.Millisecond}}
		s.GoneFor = i == 5
		o, records := s.Make()
		o.Trial = results.Trial{
			ID: fmt.Sprintf("%03d-rate-%s-r%d", i+1, strings.TrimSuffix(rates[i/3], "/s"), i%3+1), Order: i + 1, Replicate: i%3 + 1,
			Treatment: "rate=" + rates[i/3], Levels: []results.Level{{Factor: "workload.rate", Value: rates[i/3]}},
		}
		if i == 1 {
			o.Verdict, o.Reason = results.Invalid, "capture/switch dropped 12 frames"
		}
		tl, err := timeline.BuildWithin(o, records, convergence.Limits{DowntimeLimit: 0.3, WorkingSet: 32 << 20})
		if err != nil {
			t.Fatal(err)
		}
		r.Trials = append(r.Trials, Trial{Outcome: o, Timeline: tl})
	}
	return r
}

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

func TestTable(t *testing.T) {
	r := sample(t)
	for name, run := range map[string]Run{
		"table.txt": r, "table-empty.txt": {Manifest: r.Manifest, Planned: 6},
		"table-one.txt": {Manifest: r.Manifest, Trials: r.Trials[:1]}, "table-failed.txt": {Manifest: r.Manifest, Trials: r.Trials[5:]},
	} {
		var b bytes.Buffer
		if err := WriteTable(&b, run); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.Bytes())
	}
	var b bytes.Buffer
	if err := WriteMarkdown(&b, r); err != nil {
		t.Fatal(err)
	}
	golden(t, "table.md", b.Bytes())
}

func TestCSV(t *testing.T) {
	r := sample(t)
	var b bytes.Buffer
	if err := WriteCSV(&b, r); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := 1
	for _, trial := range r.Trials {
		want += len(trial.Timeline.Metrics)
	}
	if len(rows) != want {
		t.Errorf("%d rows, want %d", len(rows), want)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	for _, row := range rows[1:] {
		if known, value := row[column["known"]], row[column["value"]]; (known == "true") != (value != "") {
			t.Errorf("known %s, value %q: %v", known, value, row)
		}
		if row[column["known"]] == "false" && row[column["why"]] == "" {
			t.Errorf("unknown without a reason: %v", row)
		}
		if row[column["workload.rate"]] == "" {
			t.Errorf("no level: %v", row)
		}
	}
}

func TestFigures(t *testing.T) {
	dir := *figures
	if dir == "" {
		dir = t.TempDir()
	}
	paths, err := WriteFigures(dir, sample(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) != 3*11 {
		t.Errorf("%d files: %v", len(paths), paths)
	}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		magic := map[string]string{".svg": "<?xml", ".pdf": "%PDF-", ".png": "\x89PNG"}[filepath.Ext(p)]
		if !bytes.HasPrefix(b, []byte(magic)) {
			t.Errorf("%s begins with %q", p, b[:min(8, len(b))])
		}
		if bytes.Contains(b, []byte("NaN")) {
			t.Errorf("%s holds NaN", p)
		}
	}
	if got := Figures(Run{}); len(got) != 0 {
		t.Errorf("an empty run has %d figures", len(got))
	}
}
