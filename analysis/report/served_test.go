package report

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
	"virtscope/analysis/timeline"
	"virtscope/analysis/timeline/timelinetest"
	"virtscope/analysis/validity"
	"virtscope/results"
)

// servedRun is a run of three algorithms, two trials each, whose guest serves clients; one of them copies a disk, and in one
// the link is cut.
func servedRun(t *testing.T) Run {
	t.Helper()
	algorithms := []string{results.AlgorithmPreCopy, results.AlgorithmPostCopy, results.AlgorithmStopAndCopy}
	r := Run{Noise: new(validity.Defaults()), Manifest: results.Manifest{
		Run: "served-20260102-030405", Name: "served", Question: "What do the guest's clients notice?",
		Factors: []results.Factor{{Path: "action.migrate.algorithm", Levels: algorithms}},
	}}
	for i, algorithm := range algorithms {
		for k := range 2 {
			s := timelinetest.Default(uint64(10*i + k))
			s.Algorithm, s.Client, s.Early = algorithm, "third", 600*time.Millisecond
			s.Outage = time.Duration(200+50*k) * time.Millisecond
			s.Serve, s.Mirror = i < 2, i == 0
			switch algorithm {
			case results.AlgorithmPostCopy:
				s.Post = 900 * time.Millisecond
			case results.AlgorithmStopAndCopy:
				s.LinkDown = timelinetest.Stall{At: 300 * time.Millisecond, For: 200 * time.Millisecond}
			}
			o, records := s.Make()
			o.Trial = results.Trial{
				ID: fmt.Sprintf("%03d-%s-r%d", len(r.Trials)+1, algorithm, k+1), Order: len(r.Trials) + 1, Replicate: k + 1,
				Treatment: algorithm, Levels: []results.Level{{Factor: "action.migrate.algorithm", Value: algorithm}},
			}
			tl, err := timeline.Build(o, records)
			if err != nil {
				t.Fatal(err)
			}
			r.Trials = append(r.Trials, Trial{Outcome: o, Timeline: tl})
		}
	}
	return r
}

func TestServed(t *testing.T) {
	r := servedRun(t)
	var b, md, page bytes.Buffer
	if err := WriteTable(&b, r); err != nil {
		t.Fatal(err)
	}
	golden(t, "served.txt", b.Bytes())
	table, _, _ := strings.Cut(b.String(), "\nmedians over trials")
	for line := range strings.Lines(table) {
		if n := utf8.RuneCountInString(line); n > tableWidth+1 {
			t.Errorf("a line of %d columns: %s", n, line)
		}
	}
	if err := WriteMarkdown(&md, r); err != nil {
		t.Fatal(err)
	}
	golden(t, "served.md", md.Bytes())
	if err := WriteHTML(&page, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"work.dirty lost", "load.kv p99 action", "disk ready", "the guest&#39;s longest write", "player&#39;s stalls", "What the guest served and did over time (3)", "Latency over time (2)"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	offline(t, page.String())
	keep(t, "served", r, page.Bytes())
}

// keep writes a report where the flag says.
func keep(t *testing.T, name string, r Run, page []byte) {
	t.Helper()
	if *figures == "" {
		return
	}
	dir := filepath.Join(*figures, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "report.html"), page, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteFigures(dir, r); err != nil {
		t.Fatal(err)
	}
}

// A treatment of which no trial counts stands in the first table alone.
func TestInvalidTreatment(t *testing.T) {
	r := servedRun(t)
	for i := range 2 {
		r.Trials[i].Outcome.Verdict = results.Invalid
	}
	var b, md bytes.Buffer
	if err := WriteTable(&b, r); err != nil {
		t.Fatal(err)
	}
	if err := WriteMarkdown(&md, r); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{b.String(), md.String()} {
		first, rest, _ := strings.Cut(text, algorithmsTitle)
		rest, _, _ = strings.Cut(rest, "edian")
		if !strings.Contains(first, "algorithm precopy") || strings.Contains(rest, "algorithm precopy") {
			t.Errorf("the invalid treatment is not in the first table alone:\n%s", text)
		}
	}
}

// A reason that many treatments share is told once.
func TestEndings(t *testing.T) {
	r := servedRun(t)
	for i := range r.Trials {
		r.Trials[i].Outcome.Verdict, r.Trials[i].Outcome.Reason = results.Invalid, "no namespace"
	}
	const want = "invalid in 3 treatments: no namespace: action.migrate.algorithm precopy, 2 of 2 (r1, r2); action.migrate.algorithm postcopy, 2 of 2 (r1, r2); action.migrate.algorithm stop-and-copy, 2 of 2 (r1, r2)"
	if got := endings(r.groups()); len(got) != 1 || got[0] != want {
		t.Errorf("%q, want %q", got, want)
	}
	r.Trials[1].Outcome.Verdict = results.Completed
	r.Trials[2].Outcome.Reason, r.Trials[3].Outcome.Reason = "", "another"
	got := endings(r.groups())
	if len(got) != 4 || got[1] != "action.migrate.algorithm postcopy: 1 of 2 invalid: no reason was given (r1)" {
		t.Errorf("%q", got)
	}
}

func TestServiceFigures(t *testing.T) {
	var names []string
	for _, f := range Figures(servedRun(t)) {
		names = append(names, f.Name)
		var b bytes.Buffer
		if err := f.WriteSVG(&b); err != nil || strings.Contains(b.String(), "NaN") {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
	for _, want := range []string{"service-001-precopy-r1", "latency-001-precopy-r1.kv", "latency-003-postcopy-r1.kv", "service-005-stop-and-copy-r1"} {
		if !slices.Contains(names, want) {
			t.Errorf("there is no figure %s: %v", want, names)
		}
	}
}

// Of a design, each level is drawn where there is room for it, and the same choice is made each time.
func TestDrawn(t *testing.T) {
	grid := func(a, b int) []group {
		var list []group
		for i := range a {
			for j := range b {
				g := group{name: fmt.Sprintf("a%d b%d", i, j), levels: []results.Level{{Factor: "a", Value: fmt.Sprint(i)}, {Factor: "b", Value: fmt.Sprint(j)}}}
				g.trials = []Trial{{Outcome: results.Outcome{Verdict: results.Completed}, Timeline: &timeline.Timeline{}}}
				list = append(list, g)
			}
		}
		return list
	}
	for _, c := range []struct{ a, b, chosen int }{{7, 3, 8}, {2, 3, 6}, {21, 1, 8}, {1, 1, 1}, {3, 3, 8}, {4, 20, 8}} {
		chosen, left := drawn(grid(c.a, c.b))
		if len(chosen) != c.chosen || len(chosen)+len(left) != c.a*c.b {
			t.Errorf("%d × %d: %d drawn, %d left", c.a, c.b, len(chosen), len(left))
		}
		levels := map[string]bool{}
		for _, g := range chosen {
			for _, l := range g.levels {
				levels[l.Factor+l.Value] = true
			}
		}
		if want := min(c.a, c.chosen) + min(c.b, c.chosen); len(levels) != want {
			t.Errorf("%d × %d: %d levels are drawn, want %d: %v", c.a, c.b, len(levels), want, levels)
		}
	}
	far, _ := drawn(grid(21, 1))
	if far[0].name != "a0 b0" || far[len(far)-1].name != "a20 b0" {
		t.Errorf("from %s to %s", far[0].name, far[len(far)-1].name)
	}
	none := grid(1, 1)
	none[0].trials[0].Outcome.Verdict = results.Failed
	if chosen, left := drawn(none); len(chosen)+len(left) != 0 {
		t.Error("a treatment without a completed trial is drawn")
	}
}
