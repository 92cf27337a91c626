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

// A reason is why a metric of the machine spoiled a trial.
type reason struct{ metric, text string }

// Above says which limits a trial's machine surely exceeded: by the lower bound of what was measured.
func Above(metrics []metric.Metric, l Limits) []string { return texts(above(metrics, l)) }

func above(metrics []metric.Metric, l Limits) []reason {
	var list []reason
	for _, r := range rules {
		m, ok := named(metrics, r.metric)
		if !ok || r.limit == nil {
			continue
		}
		if limit := r.limit(l); limit < 1 && m.Low > limit {
			list = append(list, reason{r.metric, fmt.Sprintf("%s %s, more than %s", r.show(m.Value), r.what, percent(limit))})
		}
	}
	if m, ok := named(metrics, metric.NoiseThrottled); ok && m.Value > 0 {
		list = append(list, reason{m.Name, fmt.Sprintf("CPUs were slowed down for heat %.0f times", m.Value)})
	}
	return list
}

// named is a metric that is known.
func named(metrics []metric.Metric, name string) (metric.Metric, bool) {
	i := slices.IndexFunc(metrics, func(m metric.Metric) bool { return m.Name == name && m.Known })
	if i < 0 {
		return metric.Metric{}, false
	}
	return metrics[i], true
}

func texts(list []reason) []string {
	var all []string
	for _, r := range list {
		all = append(all, r.text)
	}
	return all
}

// Spoil fills in why trials were spoiled, in place of what was there. Invalid trials have their own reason, and are left out. What is above
// a limit is not told again as an outlier.
func Spoil(set *dataset.Set, l Limits) {
	reasons := make([][]reason, len(set.Trials))
	for i, t := range set.Trials {
		if t.Counted() {
			reasons[i] = above(t.Metrics, l)
		}
	}
	for _, r := range rules {
		if l.Outliers <= 0 {
			break
		}
		for i, why := range r.outliers(*set, l) {
			if !slices.ContainsFunc(reasons[i], func(have reason) bool { return have.metric == r.metric }) {
				reasons[i] = append(reasons[i], reason{r.metric, why})
			}
		}
	}
	for i := range set.Trials {
		set.Trials[i].Spoiled = texts(reasons[i])
	}
}
