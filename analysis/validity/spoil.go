package validity

import (
	"fmt"
	"slices"
	"virtscope/analysis/dataset"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A rule judges one metric of the machine.
type rule struct {
	metric string
	what   string               // with the value before it
	limit  func(Limits) float64 // nil: none
	least  float64              // by how much a trial must exceed its treatment's median to be an outlier
	below  bool                 // low is bad, and least is a share of the median
	show   func(float64) string
}

// The excess that an outlier needs, so that a quiet machine, whose trials differ by next to nothing, has none: a hundredth of the time where
// it stops everything, a twentieth where tasks wait by turns, a tenth of the CPUs, and a tenth of the frequency.
var rules = []rule{
	{metric: metric.NoiseSteal, what: "of the CPUs' time was stolen by the hypervisor below", limit: func(l Limits) float64 { return l.Steal }, least: 0.01, show: percent},
	{metric: metric.NoiseOthersPart, what: "of the CPUs' time was used by others", limit: func(l Limits) float64 { return l.Others }, least: 0.1, show: percent},
	{metric: metric.NoiseCPU, what: "of the time tasks waited for a CPU", limit: func(l Limits) float64 { return l.PSICPU }, least: 0.05, show: percent},
	{metric: metric.NoiseIO, what: "of the time tasks waited for a disk", least: 0.05, show: percent},
	{metric: metric.NoiseIOFull, what: "of the time all tasks waited for a disk", limit: func(l Limits) float64 { return l.PSIIO }, least: 0.05, show: percent},
	{metric: metric.NoiseMemory, what: "of the time tasks waited for memory", limit: func(l Limits) float64 { return l.PSIMemory }, least: 0.01, show: percent},
	{metric: metric.NoiseFreqMean, what: "was the CPUs' mean frequency", least: 0.1, below: true, show: hertz},
}

func percent(v float64) string { return fmt.Sprintf("%.3g %%", 100*v) }

func hertz(v float64) string { return quantity.Scaled(v, v/500, results.Hertz) }

// Above says which limits a trial's machine surely exceeded: by the lower bound of what was measured.
func Above(metrics []metric.Metric, l Limits) []string {
	var list []string
	for _, r := range rules {
		i := slices.IndexFunc(metrics, func(m metric.Metric) bool { return m.Name == r.metric })
		if i < 0 || r.limit == nil || !metrics[i].Known {
			continue
		}
		if limit := r.limit(l); limit < 1 && metrics[i].Low > limit {
			list = append(list, fmt.Sprintf("%s %s, more than %s", r.show(metrics[i].Value), r.what, percent(limit)))
		}
	}
	if i := slices.IndexFunc(metrics, func(m metric.Metric) bool { return m.Name == metric.NoiseThrottled }); i >= 0 && metrics[i].Known && metrics[i].Value > 0 {
		list = append(list, fmt.Sprintf("the CPUs were slowed down for heat %.0f times", metrics[i].Value))
	}
	return list
}

// Spoil fills in why trials were spoiled, in place of what was there. Invalid trials have their own reason, and are left out.
func Spoil(set *dataset.Set, l Limits) {
	for i := range set.Trials {
		t := &set.Trials[i]
		t.Spoiled = nil
		if t.Counted() {
			t.Spoiled = Above(t.Metrics, l)
		}
	}
	if l.Outliers <= 0 {
		return
	}
	for _, r := range rules {
		for i, why := range r.outliers(*set, l) {
			set.Trials[i].Spoiled = append(set.Trials[i].Spoiled, why)
		}
	}
}
