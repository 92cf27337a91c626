package main

import (
	"fmt"
	"virtscope/analysis/published"
	"virtscope/analysis/report"
	"virtscope/analysis/stats"
	"virtscope/experiments/spec"
	"virtscope/results"
)

// addPaper holds what the run's paper published, if it repeats one's experiment, against what was measured. An experiment that this
// virtscope cannot read has none.
func addPaper(run *report.Run, r *results.Run) {
	e, err := spec.Load(r.ExperimentPath())
	if err != nil || e.Paper == nil {
		return
	}
	run.Paper = paperOf(e)
	run.Published = published.Rows(run.Dataset(r.Manifest.Run), run.Paper, published.How{Confidence: report.Confidence, Ratio: ratio})
}

// ratio is head over base with its interval; treatments of one run are compared as unpaired.
func ratio(base, head stats.Sample) stats.Effect {
	return stats.Compare(base, head, stats.How{Confidence: report.Confidence, Seed: 1}).Ratio
}

// paperOf is the paper as analysis sees it.
func paperOf(e *spec.Experiment) published.Paper {
	p := published.Paper{Citation: e.Paper.Citation, Link: e.Paper.URL, Year: e.Paper.Year, Changes: e.Paper.Changes}
	if e.Paper.DOI != "" {
		p.Link = "https://doi.org/" + e.Paper.DOI
	}
	if e.Scale != 1 && e.Scale != 0 {
		p.Changes += fmt.Sprintf(" This run was at a scale of %g of that.", e.Scale)
	}
	for _, f := range e.Paper.Published {
		p.Claims = append(p.Claims, claimOf(e, f))
	}
	return p
}

func claimOf(e *spec.Experiment, f spec.Published) published.Claim {
	factor, base := f.Base()
	c := published.Claim{
		Name: f.Name, Kind: published.Kind(f.Kind), Metric: f.Metric, Over: f.Over, OfName: f.Of,
		Value: f.Value, Low: f.Low, High: f.High, Unit: f.Unit, Factor: factor, Base: results.Unit(base),
		Conditions: f.Conditions, Source: f.Source, Recalled: f.Recalled, Comparable: published.Comparable(f.Comparable), Why: f.Why,
	}
	if c.Kind == published.None {
		return c
	}
	c.Where = e.Named(f.Where)
	if len(f.Against) > 0 {
		c.Against = e.Named(f.Against)
	}
	if f.Of != "" && len(c.Where) > 0 {
		if with, err := e.With(c.Where[0]); err == nil {
			if b, ok := with.Amount(f.Of); ok {
				c.Of = float64(b)
			}
		}
	}
	return c
}
