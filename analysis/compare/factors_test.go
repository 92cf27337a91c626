package compare

import (
	"fmt"
	"math"
	"testing"
	"virtscope/analysis/dataset"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// factorial is trials of a: x, y; b: 1, 2; their total is of(a, b, replicate).
func factorial(n int, of func(a, b string, i int) float64) dataset.Set {
	set := dataset.Set{Manifest: results.Manifest{Factors: []results.Factor{{Path: "f.a", Levels: []string{"x", "y"}}, {Path: "f.b", Levels: []string{"1", "2"}}}}}
	for _, a := range []string{"y", "x"} { // not in the order of the levels
		for _, b := range []string{"1", "2"} {
			for i := range n {
				set.Trials = append(set.Trials, dataset.Trial{
					Trial:   results.Trial{ID: fmt.Sprint(a, b, i), Treatment: a + b, Block: fmt.Sprint("r", i), Levels: []results.Level{{Factor: "f.a", Value: a}, {Factor: "f.b", Value: b}}},
					Verdict: results.Completed, Readable: true,
					Metrics: []metric.Metric{{Name: "total", Quantity: quantity.Exactly(of(a, b, i), results.Seconds)}},
				})
			}
		}
	}
	return set
}

func mains(t *testing.T, set dataset.Set) map[string]Main {
	t.Helper()
	list, err := Factors(set, Options{Alpha: 0.05, Metrics: []string{"total"}, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Main{}
	for _, m := range list {
		got[m.Factor+" "+m.Level+" "+m.Metric] = m
	}
	return got
}

// Of a design of which a factor moves the values by far more than the other, the smaller effect is found all the same, and each is told
// from the other.
func TestFactors(t *testing.T) {
	got := mains(t, factorial(5, func(a, b string, i int) float64 {
		v := 1 + 0.1*float64(i)
		if a == "y" {
			v += 100
		}
		if b == "2" {
			v -= 0.5
		}
		return v
	}))
	if len(got) != 4 {
		t.Fatalf("%v", got)
	}
	a, b := got["f.a y total"], got["f.b 2 total"]
	if a.Verdict != Worse || math.Abs(a.Shift.Value-100) > 1e-9 || a.Base != "x" {
		t.Errorf("a: %+v", a)
	}
	if b.Verdict != Better || math.Abs(b.Shift.Value+0.5) > 1e-9 || b.Pairs != 10 {
		t.Errorf("b: %+v", b)
	}
	if f := got["f.a y failed"]; f.Verdict != Same || f.BaseTrials != 10 {
		t.Errorf("failures: %+v", f)
	}
}

// A factor that the design confounds with another has no trial to be compared with.
func TestFactorsConfounded(t *testing.T) {
	set := factorial(3, func(a, b string, i int) float64 { return float64(i) })
	set.Trials = append(set.Trials[:3:3], set.Trials[9:]...) // y with 1, x with 2
	if m := mains(t, set)["f.a y total"]; m.Verdict != Unknown || m.Why == "" {
		t.Errorf("%+v", m)
	}
}

// Of a metric that no factor moves, none is found.
func TestFactorsOfNothing(t *testing.T) {
	for name, m := range mains(t, factorial(6, func(_, _ string, i int) float64 { return 1 + float64(i*i%5) })) {
		if m.Verdict.Found() {
			t.Errorf("%s: %v", name, m.Verdict)
		}
	}
}
