package report

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"virtscope/analysis/timeline"
	"virtscope/analysis/timeline/timelinetest"
	"virtscope/analysis/validity"
	"virtscope/results"
)

// A treated is a level of the one factor of a sample run, and what makes its trials.
type treated struct {
	level string
	make  func(seed uint64) (results.Outcome, []results.Record)
}

// sampleOf is a run of some replicates of each level.
func sampleOf(t *testing.T, name, factor string, replicates int, levels ...treated) Run {
	t.Helper()
	r := Run{Noise: new(validity.Defaults()), Manifest: results.Manifest{
		Format: 1, Run: name + "-20260102-030405", Name: name, Seed: 1, Question: "What does it cost?",
		Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), SpecHash: strings.Repeat("ab", 32),
	}}
	f := results.Factor{Path: factor}
	for i, l := range levels {
		f.Levels = append(f.Levels, l.level)
		for k := range replicates {
			n := i*replicates + k
			o, records := l.make(uint64(n + 1))
			o.Trial = results.Trial{
				ID: fmt.Sprintf("%03d-%s-r%d", n+1, l.level, k+1), Order: n + 1, Replicate: k + 1,
				Treatment: factor + "=" + l.level, Levels: []results.Level{{Factor: factor, Value: l.level}},
			}
			tl, err := timeline.Build(o, records)
			if err != nil {
				t.Fatal(err)
			}
			r.Trials = append(r.Trials, Trial{Outcome: o, Timeline: tl})
		}
	}
	r.Manifest.Factors = []results.Factor{f}
	return r
}

func boots(b timelinetest.Boot) func(uint64) (results.Outcome, []results.Record) {
	return func(seed uint64) (results.Outcome, []results.Record) {
		b.Seed = seed
		o, records, _ := b.Make()
		return o, records
	}
}

func keeps(k timelinetest.Keep) func(uint64) (results.Outcome, []results.Record) {
	return func(seed uint64) (results.Outcome, []results.Record) {
		k.Seed = seed
		o, records, _ := k.Make()
		return o, records
	}
}

func servesJobs(s timelinetest.Served) func(uint64) (results.Outcome, []results.Record) {
	return func(seed uint64) (results.Outcome, []results.Record) {
		s.Seed = seed
		o, records, _ := s.Make()
		return o, records
	}
}

func actionSamples(t *testing.T) map[string]Run {
	return map[string]Run{
		"boot": sampleOf(t, "boot", "guest.start", 5,
			treated{"cold", boots(timelinetest.Boot{Guests: 1, Method: "overlay"})},
			treated{"warm", boots(timelinetest.Boot{Guests: 1, Method: "overlay", Start: "warm"})},
			treated{"substrate", boots(timelinetest.Boot{Guests: 1, Start: "substrate"})}),
		"deploy": sampleOf(t, "deploy", "action.boot.guests", 3,
			treated{"4", boots(timelinetest.Boot{Guests: 4, Method: "nbd", Slow: 0.02})},
			treated{"16", boots(timelinetest.Boot{Guests: 16, Method: "nbd", Slow: 0.02, Concurrency: 8})},
			treated{"32", boots(timelinetest.Boot{Guests: 32, Method: "nbd", Slow: 0.02, Concurrency: 8, Fail: 1})}),
		"checkpoint": sampleOf(t, "checkpoint", "action.checkpoint.save.mode", 3,
			treated{"stop", keeps(timelinetest.Keep{Count: 3, Period: 500 * time.Millisecond, Disk: "incremental", Restore: true})},
			treated{"live", keeps(timelinetest.Keep{Count: 3, Period: 500 * time.Millisecond, Live: true, Restore: true})}),
		"recover": sampleOf(t, "recover", "action.recover.period", 3,
			treated{"0.5s", keeps(timelinetest.Keep{Recover: true, Period: 500 * time.Millisecond, Failures: 4, Every: 1200 * time.Millisecond})},
			treated{"1s", keeps(timelinetest.Keep{Recover: true, Period: time.Second, Failures: 4, Every: 1200 * time.Millisecond})}),
		"jobs": sampleOf(t, "jobs", "action.jobs.cap", 3,
			treated{"2", servesJobs(timelinetest.Served{Jobs: 16, Cap: 2, Preempt: true})},
			treated{"6", servesJobs(timelinetest.Served{Jobs: 16, Cap: 6})}),
	}
}

// Every action has its own tables and figures, and nothing of a migration's.
func TestActionReports(t *testing.T) {
	for name, r := range actionSamples(t) {
		var b bytes.Buffer
		if err := WriteTable(&b, r); err != nil {
			t.Fatal(err)
		}
		golden(t, "table-"+name+".txt", b.Bytes())
		b.Reset()
		if err := WriteMarkdown(&b, r); err != nil {
			t.Fatal(err)
		}
		golden(t, "table-"+name+".md", b.Bytes())
		b.Reset()
		if err := WriteHTML(&b, r); err != nil {
			t.Fatal(err)
		}
		page := b.String()
		offline(t, page)
		for _, alien := range []string{"converge", "migration", "Rounds"} {
			if strings.Contains(page, alien) {
				t.Errorf("the report of %s says %q", name, alien)
			}
		}
		dir := t.TempDir()
		if *figures != "" {
			dir = filepath.Join(*figures, name)
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "report.html"), b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		paths, err := WriteFigures(dir, r)
		if err != nil {
			t.Fatal(err)
		}
		names := ""
		for _, p := range paths {
			names += " " + filepath.Base(p)
		}
		for _, want := range figuresOf[name] {
			if !strings.Contains(names, want) {
				t.Errorf("%s has no figure %s: %s", name, want, names)
			}
		}
	}
}

// figuresOf are what each sample must have.
var figuresOf = map[string][]string{
	"boot":       {"start-phases", "compare-boot-total"},
	"deploy":     {"start-phases", "ready", "kth-ready", "-deploy-makespan", "images-002-4-r2"},
	"checkpoint": {"checkpoint-phases", "restore-phases", "phases", "outages", "compare-checkpoint-downtime"},
	"recover":    {"recovery", "failures-", "compare-recovery-lost-work", "phases"},
	"jobs":       {"jobs-", "compare-jobs-wait-p50"},
}
