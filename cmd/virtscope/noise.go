package main

import (
	"virtscope/analysis/metric"
	"virtscope/analysis/timeline"
	"virtscope/analysis/validity"
	"virtscope/experiments/plan"
	"virtscope/experiments/spec"
	"virtscope/results"
)

// noiseLimits are what an experiment allows its machine.
func noiseLimits(n spec.Noise) validity.Limits {
	return validity.Limits{
		Steal: n.Steal, Others: n.Others, PSICPU: n.PSICPU, PSIIO: n.PSIIO, PSIMemory: n.PSIMemory, Outliers: n.Outliers,
	}
}

// noiseOf are the limits of a run's own experiment; the defaults where this virtscope cannot read it.
func noiseOf(r *results.Run) validity.Limits {
	p, err := loadPlan(r.ExperimentPath())
	if err != nil {
		return validity.Defaults()
	}
	return noiseLimits(p.Experiment.Noise)
}

// noisy says what the machine did, while a trial was measured, that makes it invalid; nothing where the experiment wants such trials
// named alone. Records are those of the runner and of the usage probe.
func noisy(t plan.Trial, records []results.Record) []string {
	if t.Spec.Noise.Action != "invalid" {
		return nil
	}
	tl, err := timeline.Build(results.Outcome{Trial: t.Trial}, records)
	if err != nil {
		return []string{"what the machine did cannot be read: " + err.Error()}
	}
	var metrics []metric.Metric
	for _, m := range tl.Metrics {
		metrics = append(metrics, metric.Metric{Name: m.Name, Quantity: m.Quantity})
	}
	return validity.Above(metrics, noiseLimits(t.Spec.Noise))
}
