package main

import (
	"compress/gzip"
	"encoding/csv"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"virtscope/analysis/convergence"
	"virtscope/analysis/published"
	"virtscope/analysis/report"
	"virtscope/analysis/timeline"
	"virtscope/analysis/timeline/timelinetest"
	"virtscope/experiments"
	"virtscope/experiments/plan"
	"virtscope/experiments/spec"
	"virtscope/results"
)

// migrationMetrics are the metrics, with their units, of recorded migrations of all algorithms, and of one of which models are asked.
func migrationMetrics(t *testing.T) map[string]results.Unit {
	t.Helper()
	f, err := os.Open("../../docs/evidence/algorithms/trials.csv.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	name, unit := slices.Index(rows[0], "metric"), slices.Index(rows[0], "unit")
	units := map[string]results.Unit{}
	for _, row := range rows[1:] {
		units[row[name]] = results.Unit(row[unit])
	}
	scenario := timelinetest.Default(1)
	scenario.Algorithm = results.AlgorithmPreCopy
	o, records := scenario.Make()
	tl, err := timeline.BuildWithin(o, records, convergence.Limits{DowntimeLimit: 0.3, WorkingSet: 32 << 20})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range tl.Metrics {
		units[m.Name] = m.Unit
	}
	return units
}

// papers are the experiments of the catalogue that repeat a paper's.
func papers(t *testing.T) map[string]*spec.Experiment {
	t.Helper()
	names, err := fs.Glob(experiments.Catalogue, "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*spec.Experiment{}
	for _, name := range names {
		e, err := spec.LoadFS(experiments.Catalogue, name)
		if err != nil {
			t.Fatal(err)
		}
		if e.Paper != nil {
			found[e.Name] = e
		}
	}
	return found
}

// TestPapers: what is compared with a paper is a metric that such a trial can have, in the unit of what was published, at a treatment of the
// plan; and the reader is told what was changed and, unless the numbers are compared, why not.
func TestPapers(t *testing.T) {
	units := migrationMetrics(t)
	found := papers(t)
	for _, name := range []string{"clark-2005", "hines-2009", "svard-2011", "pasumarthy-2015", "salfner-2011", "akoush-2010", "luo-2008", "whole-machine-wan"} {
		if found[name] == nil {
			t.Errorf("%s names no paper", name)
		}
	}
	for name, e := range found {
		p, err := plan.Make(e)
		if err != nil {
			t.Fatal(err)
		}
		planned := map[string]bool{}
		for _, trial := range p.Trials {
			planned[levelsText(trial.Levels)] = true
		}
		if e.Paper.Changes == "" || e.Paper.Year == 0 || len(e.Paper.Published) == 0 {
			t.Errorf("%s does not say what it changes, of which year the paper is, or what it published", name)
		}
		for _, c := range paperOf(e).Claims {
			if c.Kind == published.None {
				continue
			}
			unit, ok := units[c.Metric]
			switch {
			case e.Action.Migrate == nil:
				t.Errorf("%s: %s: the vocabulary of another action is not checked here", name, c.Name)
			case !ok:
				t.Errorf("%s: %s: no migration has the metric %s", name, c.Name, c.Metric)
			case (c.Kind == published.Value || c.Kind == published.Each) && unit != c.Base:
				t.Errorf("%s: %s: %s is in %s, and what was published in %s", name, c.Name, c.Metric, unit, c.Base)
			case c.Kind == published.Share && !(c.Of > 0):
				t.Errorf("%s: %s: %s is no amount", name, c.Name, c.OfName)
			}
			if len(c.Where) == 0 {
				t.Errorf("%s: %s is compared with no treatment", name, c.Name)
			}
			for _, at := range append(c.Where, c.Against...) {
				if !planned[levelsText(at)] {
					t.Errorf("%s: %s: no trial of the plan is at %s", name, c.Name, levelsText(at))
				}
			}
		}
	}
}

func levelsText(levels []results.Level) string {
	var list []string
	for _, l := range levels {
		list = append(list, l.Factor+"="+l.Value)
	}
	return strings.Join(list, " ")
}

// TestPaperOf: what is a share of an amount takes it from the treatment as it runs, and a run at another scale says so.
func TestPaperOf(t *testing.T) {
	e := papers(t)["hines-2009"]
	if e == nil {
		t.Fatal("hines-2009 is not there")
	}
	if err := e.SetScale(0.5); err != nil {
		t.Fatal(err)
	}
	p := paperOf(e)
	if p.Link != "https://doi.org/10.1145/1508293.1508301" || !strings.HasSuffix(p.Changes, "This run was at a scale of 0.5 of that.") {
		t.Errorf("%s: %s", p.Link, p.Changes)
	}
	if c := p.Claims[0]; c.Of != 32<<20 || c.Factor != 0.01 || c.Base != results.One {
		t.Errorf("%+v", c)
	}
}

// TestPaperOfRun: a run without a paper has no rows.
func TestPaperOfRun(t *testing.T) {
	r, err := results.Open("../../docs/evidence/algorithms")
	if err != nil {
		t.Fatal(err)
	}
	run := report.Run{Manifest: r.Manifest}
	if addPaper(&run, r); len(run.Published) > 0 || run.Paper.Citation != "" {
		t.Errorf("%+v", run.Published)
	}
}
