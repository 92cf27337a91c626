package main

import (
	"virtscope/analysis/report"
	"virtscope/experiments/spec"
	"virtscope/results"
)

// plotsOf are the figures that a run's experiment asks for; none of one that this virtscope cannot read.
func plotsOf(r *results.Run) []report.Plot {
	e, err := spec.Load(r.ExperimentPath())
	if err != nil {
		return nil
	}
	var list []report.Plot
	for _, p := range e.Plots {
		list = append(list, report.Plot{Kind: p.Kind, Metric: p.Metric, X: p.X, By: p.By})
	}
	return list
}
