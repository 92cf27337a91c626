package trend

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"virtscope/analysis/dataset"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

func noise(r *rand.Rand, mean float64, n int) []float64 {
	list := make([]float64, n)
	for i := range list {
		list[i] = mean + r.NormFloat64()
	}
	return list
}

func TestDivide(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	two := append(append(noise(r, 0, 12), noise(r, 6, 10)...), noise(r, -4, 14)...)
	got := Divide(two, 0.05, 1)
	if len(got) != 2 || got[0].At != 12 || got[1].At != 22 {
		t.Errorf("%+v, want changes at 12 and 22", got)
	}
	if got := Divide(noise(r, 0, 5), 0.05, 1); got != nil {
		t.Errorf("five values: %+v", got)
	}
	if got := Divide(make([]float64, 20), 0.05, 1); got != nil {
		t.Errorf("a constant has no change: %+v", got)
	}
	spread := append(noise(r, 0, 40), scaled(noise(r, 0, 40), 12)...)
	if got := Divide(spread, 0.05, 1); len(got) == 0 || got[0].At < 30 || got[0].At > 50 {
		t.Errorf("a change of the spread alone: %+v", got)
	}
}

func scaled(values []float64, by float64) []float64 {
	for i := range values {
		values[i] *= by
	}
	return values
}

// The statistic, as the sums are kept up, is the one that the definition gives.
func TestBestIsTheDefinition(t *testing.T) {
	s := noise(rand.New(rand.NewPCG(2, 2)), 0, 15)
	wantAt, want := -1, math.Inf(-1)
	mean := func(a, b []float64, pairs float64) float64 {
		var sum float64
		for _, x := range a {
			for _, y := range b {
				sum += math.Abs(x - y)
			}
		}
		return sum / pairs
	}
	for k := least; k <= len(s)-least; k++ {
		m, n := float64(k), float64(len(s)-k)
		v := m * n / (m + n) * (2*mean(s[:k], s[k:], m*n) - mean(s[:k], s[:k], m*(m-1)) - mean(s[k:], s[k:], n*(n-1)))
		if v > want {
			wantAt, want = k, v
		}
	}
	if at, q := best(s); at != wantAt || math.Abs(q-want) > 1e-9 {
		t.Errorf("%d %v, want %d %v", at, q, wantAt, want)
	}
}

func TestFalseAlarms(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	const rounds = 150
	red := 0
	for i := range rounds {
		if len(Divide(noise(r, 0, 16), 0.05, uint64(i))) > 0 {
			red++
		}
	}
	if limit := rounds*0.05 + 3*math.Sqrt(rounds*0.05*0.95); float64(red) > limit {
		t.Errorf("%d of %d series without a change have one", red, rounds)
	}
}

func runs(totals ...float64) []dataset.Set {
	var list []dataset.Set
	for i, v := range totals {
		set := dataset.Set{Name: fmt.Sprintf("run%d", i+1)}
		for k := range 3 {
			q := quantity.Exactly(v+float64(k-1)/1000, results.Seconds)
			if v < 0 {
				q = quantity.AtLeast(-v, results.Seconds, "it did not end")
			}
			set.Trials = append(set.Trials, dataset.Trial{
				Trial: results.Trial{ID: fmt.Sprint(k)}, Readable: true, Verdict: results.Completed, Metrics: []metric.Metric{{Name: "total", Quantity: q}},
			})
		}
		list = append(list, set)
	}
	return list
}

func TestOf(t *testing.T) {
	list, err := Of(runs(1, 1.01, 0.99, 1.02, 1, 0.98, -9, 1.5, 1.52, 1.49, 1.51, 1.5, 1.48), nil, 0.05, 1)
	if err != nil || len(list) != 1 || len(list[0].Changes) != 1 {
		t.Fatalf("%+v %v", list, err)
	}
	c := list[0].Changes[0]
	if c.Run != "run8" || c.Better != "worse" || math.Abs(c.Before-1) > 0.01 || math.Abs(c.After-1.5) > 0.01 {
		t.Errorf("%+v", c)
	}
	if p := list[0].Points[6]; p.Median != nil || p.Why == "" {
		t.Errorf("a censored run is a number: %+v", p)
	}
	var b bytes.Buffer
	if err := WriteText(&b, list); err != nil || !strings.Contains(b.String(), "run8") {
		t.Errorf("%s %v", b.String(), err)
	}
	few, err := Of(runs(1, 2, 3), nil, 0.05, 1)
	if err != nil || !strings.Contains(few[0].Why, "3 runs have it") {
		t.Errorf("%+v %v", few, err)
	}
	if few, _ := Of(runs(1, 1, 1, 2, 2, 2), nil, 0.001, 1); !strings.Contains(few[0].Why, "permutations cannot give") {
		t.Errorf("%+v", few)
	}
}
