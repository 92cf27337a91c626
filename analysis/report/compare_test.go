package report

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"virtscope/analysis/convergence"
	"virtscope/analysis/timeline"
	"virtscope/analysis/timeline/timelinetest"
	"virtscope/analysis/validity"
	"virtscope/results"
)

// algorithmRun is a run of seven algorithms by three dirty rates.
func algorithmRun(t *testing.T, replicates int) Run {
	t.Helper()
	algorithms := []string{
		results.AlgorithmPreCopy, results.AlgorithmPostCopy, results.AlgorithmHybrid, results.AlgorithmXBZRLE, results.AlgorithmMultifd,
		results.AlgorithmAutoConverge, results.AlgorithmStopAndCopy,
	}
	rates := []string{"4MiB/s", "32MiB/s", "128MiB/s"}
	r := Run{Noise: new(validity.Defaults()), Manifest: results.Manifest{
		Run: "algorithms-20260102-030405", Name: "algorithms", Question: "Which algorithm costs what?",
		Factors: []results.Factor{{Path: "action.migrate.algorithm", Levels: algorithms}, {Path: "workload.rate", Levels: rates}},
	}}
	n := 0
	for i, algorithm := range algorithms {
		for j, rate := range rates {
			for k := range replicates {
				n++
				s := timelinetest.Default(uint64(n))
				s.Usage, s.Algorithm, s.Client = false, algorithm, "third"
				s.Rate = float64(40+8*i) * (1 << 20)
				s.Outage = time.Duration(20+30*j+5*k) * time.Millisecond
				switch algorithm {
				case results.AlgorithmPostCopy, results.AlgorithmHybrid:
					s.Post, s.Outage = time.Duration(900+100*j+20*k)*time.Millisecond, time.Duration(12+k)*time.Millisecond
				case results.AlgorithmStopAndCopy:
					s.Outage = time.Duration(1200+30*k) * time.Millisecond
				}
				s.GoneFor = algorithm == results.AlgorithmPreCopy && j == 2 && k == 1
				o, records := s.Make()
				if s.GoneFor {
					o.Reason = "did not converge: more than 30 pre-copy rounds"
				}
				o.Trial = results.Trial{
					ID: fmt.Sprintf("%03d-%s-%s-r%d", n, algorithm, strings.TrimSuffix(rate, "/s"), k+1), Order: n, Replicate: k + 1,
					Treatment: algorithm + rate, Levels: []results.Level{{Factor: "action.migrate.algorithm", Value: algorithm}, {Factor: "workload.rate", Value: rate}},
				}
				tl, err := timeline.BuildWithin(o, records, convergence.Limits{DowntimeLimit: 0.3, WorkingSet: 32 << 20})
				if err != nil {
					t.Fatal(err)
				}
				r.Trials = append(r.Trials, Trial{Outcome: o, Timeline: tl})
			}
		}
	}
	return r
}

func TestAlgorithmsTable(t *testing.T) {
	r := algorithmRun(t, 2)
	var b bytes.Buffer
	if err := WriteTable(&b, r); err != nil {
		t.Fatal(err)
	}
	golden(t, "algorithms.txt", b.Bytes())
	var html bytes.Buffer
	if err := WriteHTML(&html, r); err != nil {
		t.Fatal(err)
	}
	keep(t, "algorithms", r, html.Bytes())
	if got := strings.Count(html.String(), "Drawn is a trial of 8 of 21 treatments"); got != 1 {
		t.Errorf("what is not drawn is said %d times", got)
	}
	for _, want := range []string{"did not converge: more than 30 pre-copy rounds (r2)", "post-copy time", "Why it did, or did not, converge", "Hines et al."} {
		if !strings.Contains(unpacked(t, html.String()), want) {
			t.Errorf("the report does not say %q", want)
		}
	}
	offline(t, html.String())
	if *figures != "" {
		if err := os.WriteFile(filepath.Join(*figures, "algorithms.html"), html.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCompareFigures(t *testing.T) {
	r := algorithmRun(t, 3)
	list := compareFigures(r)
	if len(list) != 3 {
		t.Fatalf("%d figures, want total time, downtime and bytes", len(list))
	}
	dir := *figures
	if dir == "" {
		dir = t.TempDir()
	}
	phases, _ := phaseFigure(r)
	for _, f := range append(list, phases) {
		var png, svg bytes.Buffer
		if err := f.WritePNG(&png); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "algorithms-"+f.Name+".png"), png.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := f.WriteSVG(&svg); err != nil || bytes.Contains(svg.Bytes(), []byte("NaN")) {
			t.Errorf("%s: %v, or NaN", f.Name, err)
		}
	}
	down := newDotChart(r.groups(), timeline.Downtime, &r.Manifest.Factors[0], &r.Manifest.Factors[1])
	if !down.log {
		t.Error("downtimes from 12 ms to 1.2 s are on a linear axis")
	}
	if bytes := newDotChart(r.groups(), timeline.BytesPayload, &r.Manifest.Factors[0], &r.Manifest.Factors[1]); bytes.log {
		t.Error("bytes of one order are on a logarithmic axis")
	}
	if got := compareFigures(Run{Manifest: r.Manifest}); len(got) > 0 {
		t.Errorf("a run without trials has %d figures", len(got))
	}
}

// A factor that is drawn by neither axis nor colour makes a figure of its own for each of its levels.
func TestComparePanels(t *testing.T) {
	r := algorithmRun(t, 1)
	r.Manifest.Factors = append(r.Manifest.Factors, results.Factor{Path: "guest.vcpus", Levels: []string{"1", "2"}})
	for i := range r.Trials {
		trial := &r.Trials[i].Outcome.Trial
		trial.Levels = append(trial.Levels, results.Level{Factor: "guest.vcpus", Value: fmt.Sprint(1 + i%2)})
	}
	list := compareFigures(r)
	if len(list) != 6 || !strings.HasSuffix(list[0].Title, "vcpus 1") || list[0].Name == list[1].Name {
		t.Errorf("%d figures, the first %q (%s)", len(list), list[0].Title, list[0].Name)
	}
}

// A cut link is shaded in the figures over time.
func TestLinkCutIsShaded(t *testing.T) {
	s := timelinetest.Default(3)
	s.Algorithm, s.Client = results.AlgorithmHybrid, "third"
	s.Post, s.Paused = 900*time.Millisecond, timelinetest.Stall{At: 200 * time.Millisecond, For: 300 * time.Millisecond}
	s.LinkDown = timelinetest.Stall{At: 1450 * time.Millisecond, For: 250 * time.Millisecond}
	o, records := s.Make()
	tl, err := timeline.Build(o, records)
	if err != nil {
		t.Fatal(err)
	}
	trial := Trial{Outcome: o, Timeline: tl}
	for _, figure := range []func(Trial) (Figure, bool){throughputFigure, cpuFigure} {
		f, ok := figure(trial)
		if !ok {
			t.Fatal("no figure")
		}
		var svg, png bytes.Buffer
		if err := f.WriteSVG(&svg); err != nil || !strings.Contains(svg.String(), "link cut") {
			t.Errorf("%s: %v, or the cut has no key", f.Name, err)
		}
		if *figures != "" {
			if err := f.WritePNG(&png); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(*figures, "cut-"+f.Name+".png"), png.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

var packedSection = regexp.MustCompile(`data-packed="([^"]*)"`)

// unpacked is a report with the sections that it holds compressed.
func unpacked(t *testing.T, html string) string {
	t.Helper()
	for _, m := range packedSection.FindAllStringSubmatch(html, -1) {
		data, err := base64.URLEncoding.DecodeString(m[1])
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		section, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		html += string(section)
	}
	return html
}
