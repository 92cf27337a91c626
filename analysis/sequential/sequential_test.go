package sequential

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"virtscope/analysis/dataset"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// treatment has a trial of each value; a negative one is censored at its size, NaN is unknown.
func treatment(name string, values ...float64) dataset.Treatment {
	t := dataset.Treatment{Name: name}
	for i, v := range values {
		q := quantity.Exactly(v, results.Seconds)
		verdict := results.Completed
		switch {
		case math.IsNaN(v):
			q = quantity.Unknown(results.Seconds, "nobody saw it")
		case v < 0:
			q, verdict = quantity.AtLeast(-v, results.Seconds, "it was given up"), results.Failed
		}
		t.Trials = append(t.Trials, dataset.Trial{
			Trial:   results.Trial{ID: fmt.Sprintf("%s-%d", name, i+1), Treatment: name, Replicate: i + 1, Order: i + 1},
			Verdict: verdict, Readable: true, Metrics: []metric.Metric{{Name: "total", Quantity: q}},
		})
	}
	return t
}

func set(list ...dataset.Treatment) dataset.Set {
	var s dataset.Set
	for _, t := range list {
		s.Trials = append(s.Trials, t.Trials...)
	}
	return s
}

var rule = NewRule("total", 0.05, 0.95, 5, 10)

func TestState(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []float64
		reach  float64
		enough bool
	}{
		{"too early", []float64{4, 4, 4, 4}, math.NaN(), false},
		{"no interval yet", []float64{4, 4, 4, 4, 4}, math.NaN(), false},
		{"narrow", []float64{4, 4, 4.1, 4, 3.9, 4}, 0.025, true},
		{"wide", []float64{4, 4, 4.4, 4, 3.9, 4}, 0.1, false},
		{"an unknown one does not count", []float64{4, 4, 4.1, 4, 3.9, math.NaN()}, math.NaN(), false},
		{"censored above all", []float64{4, 4, -9, 4, 3.9, 4}, math.NaN(), false},
		{"censored outside the interval", []float64{4, 4, -9, 4, 3.9, 4, 4, 4.1, 4, 4}, 0.025, true},
		{"zero", []float64{0, 0, 0, 0, 0, 0}, 0, true},
		{"median of zero", []float64{0, 0, 0, 0, 0, 1}, math.NaN(), false},
	} {
		s, err := rule.State(treatment("a", c.values...))
		same := math.Abs(s.Reach-c.reach) < 1e-12 || math.IsNaN(s.Reach) && math.IsNaN(c.reach)
		if err != nil || !same || s.Enough != c.enough {
			t.Errorf("%s: %+v, %v", c.name, s, err)
		}
	}
}

func TestResultSaysHowEachTreatmentEnded(t *testing.T) {
	steady, noisy := []float64{4, 4, 4, 4, 4, 4}, []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	open := []float64{4, 4, 4, 4, 4, 4, 4, -5, -5, -5}
	cases := []struct {
		t    dataset.Treatment
		left int
		want string
	}{
		{treatment("steady", steady...), 4, "enough: 4 trials not needed"},
		{treatment("all", append(steady, 4, 4, 4, 4)...), 0, "enough"},
		{treatment("noisy", noisy...), 0, "not reached within 10 trials"},
		{treatment("cut", noisy[:7]...), 0, "not yet: 3 trials"},
		{treatment("open", open...), 0, "3 trials censored, so that nothing bounds the median from above"},
		{treatment("unseen", append(noisy[:9:9], math.NaN())...), 0, "1 trial without a value"},
		{treatment("changed", noisy[:6]...), 4, "with what counts now it is not"},
	}
	var list []dataset.Treatment
	var plan []results.Trial
	leftOut := map[string]string{}
	for _, c := range cases {
		list = append(list, c.t)
		for i := range 10 {
			p := results.Trial{ID: fmt.Sprintf("%s-%d", c.t.Name, i+1), Treatment: c.t.Name}
			plan = append(plan, p)
			if i >= 10-c.left {
				leftOut[p.ID] = "it was enough"
			}
		}
	}
	r, err := Of(set(list...), rule, leftOut, plan)
	if err != nil || len(r.Rows) != len(cases) {
		t.Fatal(r, err)
	}
	for i, c := range cases {
		if row := r.Rows[i]; !strings.Contains(row.Why, c.want) || row.LeftOut != c.left {
			t.Errorf("%s: %+v", c.t.Name, row)
		}
		if cells := r.Rows[i].Cells(); len(cells) != len(r.Head()) {
			t.Errorf("%q under %q", cells, r.Head())
		}
	}
	if got := r.Rows[0].Cells(); strings.Join(got, "|") != "steady|6 of 10|4.000 s|4.000 s to 4.000 s|0 %|enough: 4 trials not needed" {
		t.Errorf("%q", got)
	}
	if got := r.Rows[4].Cells(); !strings.Contains(got[1], "3 censored") || !strings.Contains(got[3], "to ≥ 5") {
		t.Errorf("%q", got)
	}
	if n := len(r.Unreached()); n != 3 {
		t.Errorf("%d unreached", n)
	}
	two := treatment("units", 4, 4)
	two.Trials[1].Metrics[0].Unit = results.Bytes
	if _, err := Of(set(two), rule, nil, nil); err == nil {
		t.Error("two units of one metric")
	}
}
