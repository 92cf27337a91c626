package timeline

import (
	"virtscope/analysis/convergence"
	"virtscope/analysis/quantity"
	"virtscope/analysis/text"
	"virtscope/results"
)

// AccuracyInfix stands between total or downtime and a model's name, such as total.accuracy.avg. 1: 1 − |predicted − measured| / measured,
// below 0 where a model is off by more than what was measured. Present for each model that was asked.
const AccuracyInfix = ".accuracy."

// measureAccuracy adds how close models came.
func (t *Timeline) measureAccuracy() {
	if t.Convergence == nil {
		return
	}
	for _, p := range t.Convergence.Predictions {
		name := AccuracyInfix + text.Slug(p.Model)
		t.Metrics = append(t.Metrics,
			Metric{TotalTime + name, accuracy(p, p.TotalError)},
			Metric{Downtime + name, accuracy(p, p.DowntimeError)})
	}
}

// accuracy is 1 less the size of a relative error.
func accuracy(p convergence.Prediction, off quantity.Quantity) quantity.Quantity {
	const u = results.One
	switch {
	case !off.Known && !p.Converges && p.Why != "":
		return quantity.Unknown(u, p.Model+": "+p.Why)
	case !off.Known:
		return quantity.Unknown(u, p.Model+": "+off.Why)
	}
	size := func(x float64) float64 { return max(x, -x) }
	least, most := min(size(off.Low), size(off.High)), max(size(off.Low), size(off.High))
	if off.Low <= 0 && off.High >= 0 {
		least = 0
	}
	return quantity.Within(1-size(off.Value), 1-most, 1-least, u)
}
