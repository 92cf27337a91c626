package main

import (
	"bytes"
	"io"
	"virtscope/analysis/metric"
	"virtscope/analysis/text"
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

// noiseOf are the limits of a run's own experiment; nil, and why, where this virtscope cannot read it. Whoever judges by the defaults then must tell
// the reason.
func noiseOf(r *results.Run) (l *validity.Limits, why string) {
	p, err := loadPlan(r.ExperimentPath())
	if err != nil {
		return nil, err.Error()
	}
	return new(noiseLimits(p.Experiment.Noise)), ""
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
	return validity.Above(machineMetrics(tl), noiseLimits(t.Spec.Noise))
}

func machineMetrics(tl *timeline.Timeline) []metric.Metric {
	var list []metric.Metric
	for _, m := range tl.Metrics {
		list = append(list, metric.Metric{Name: m.Name, Quantity: m.Quantity})
	}
	return list
}

// writeNoise says which limits of its run the machine exceeded in one trial. Whether it stands out among others, the run's table says.
func writeNoise(w io.Writer, r *results.Run, tl *timeline.Timeline) error {
	var b bytes.Buffer
	l, why := noiseOf(r)
	metrics := machineMetrics(tl)
	limits := validity.Defaults()
	if l != nil {
		limits = *l
	}
	text.List(&b, "the machine spoiled the trial", validity.Above(metrics, limits))
	if l == nil && validity.Judged(metrics) {
		b.WriteString("\n")
		text.Wrapped(&b, "! ", validity.Assumed(why))
	}
	_, err := w.Write(b.Bytes())
	return err
}
