package timeline

import (
	"math"
	"strings"
	"testing"
	"virtscope/analysis/convergence"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// TestAccuracy: by hand, 1 less the size of the error, and its bounds.
func TestAccuracy(t *testing.T) {
	for _, c := range []struct {
		name             string
		off              quantity.Quantity
		value, low, high float64
	}{
		{"10 % more", quantity.Within(0.1, 0.08, 0.12, results.One), 0.9, 0.88, 0.92},
		{"10 % less", quantity.Within(-0.1, -0.12, -0.08, results.One), 0.9, 0.88, 0.92},
		{"either way", quantity.Within(0.01, -0.03, 0.05, results.One), 0.99, 0.95, 1},
		{"three times too much", quantity.Exactly(2, results.One), -1, -1, -1},
	} {
		got := accuracy(convergence.Prediction{Model: "AVG", Converges: true}, c.off)
		for what, d := range map[string]float64{"value": got.Value - c.value, "low": got.Low - c.low, "high": got.High - c.high} {
			if !got.Known || math.Abs(d) > 1e-12 {
				t.Errorf("%s: %s is off by %v: %+v", c.name, what, d, got)
			}
		}
	}
	never := convergence.Prediction{Model: "AVG", Why: "it dirties more than the link carries"}
	if got := accuracy(never, quantity.Unknown(results.One, "it does not converge")); got.Known || got.Why != "AVG: it dirties more than the link carries" {
		t.Errorf("a model without a number: %+v", got)
	}
}

// TestAccuracyMetrics: each model that was asked has two.
func TestAccuracyMetrics(t *testing.T) {
	tl := &Timeline{Convergence: &convergence.Analysis{Predictions: []convergence.Prediction{
		{Model: "writable working set", TotalError: quantity.Exactly(-0.25, results.One), DowntimeError: quantity.Unknown(results.One, "none")},
	}}}
	tl.measureAccuracy()
	var names []string
	for _, m := range tl.Metrics {
		names = append(names, m.Name)
	}
	if got := strings.Join(names, " "); got != "total.accuracy.writable-working-set downtime.accuracy.writable-working-set" {
		t.Errorf("metrics %s", got)
	}
	if q := tl.Metric("total.accuracy.writable-working-set"); q.Value != 0.75 || !q.Known {
		t.Errorf("%+v", q)
	}
	(&Timeline{}).measureAccuracy() // a trial without an analysis has none
}
