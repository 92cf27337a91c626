package power

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"virtscope/analysis/stats"
)

func sample(t *testing.T, values ...float64) stats.Sample {
	t.Helper()
	var data []stats.Datum
	for i, v := range values {
		data = append(data, stats.Datum{Trial: fmt.Sprint(i), Value: v, Known: true})
	}
	s, err := stats.NewSample(data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func normal(n int, spread float64) []float64 {
	r := rand.New(rand.NewPCG(4, 4))
	values := make([]float64, n)
	for i := range values {
		values[i] = 10 * (1 + spread*r.NormFloat64())
	}
	return values
}

// A two-sided t test at 0.05 and 0.8 needs 16 s²/d² a side, nearly (Lehr, Statistics in Medicine 11, 1992); a rank test of normal values π/3 as many.
func TestFromAgreesWithLehr(t *testing.T) {
	for _, d := range []float64{0.05, 0.1} {
		a := From(sample(t, normal(200, 0.1)...), Question{Difference: d, Alpha: 0.05, Power: 0.8, Seed: 1})
		want := 16 * a.Spread * a.Spread / (d * d) * math.Pi / 3
		if !a.Known || math.Abs(float64(a.Replicates)-want) > 0.3*want+2 {
			t.Errorf("%v: %+v, Lehr says %.0f", d, a, want)
		}
		if a.Cautious < a.Replicates || a.Upper < a.Spread {
			t.Errorf("caution needs fewer: %+v", a)
		}
	}
}

func TestFromNeedsWhatTheTestNeeds(t *testing.T) {
	// Whatever the difference, Mann and Whitney's test gives no p below 0.05 of three a side.
	a := From(sample(t, normal(20, 0.001)...), Question{Difference: 1, Alpha: 0.05, Power: 0.8, Seed: 1})
	if a.Replicates != 4 {
		t.Errorf("%+v, want 4", a)
	}
	if a := From(sample(t, normal(20, 3)...), Question{Difference: 0.001, Alpha: 0.05, Power: 0.8, Seed: 1}); !a.Known || a.Replicates != 0 {
		t.Errorf("no number of replicates up to %d can show it: %+v", most, a)
	}
}

func TestFromSaysWhatItCannot(t *testing.T) {
	q := Question{Difference: 0.1, Alpha: 0.05, Power: 0.8}
	censored, err := stats.NewSample([]stats.Datum{{Trial: "x", Value: 1, Known: true, Censored: true}})
	if err != nil {
		t.Fatal(err)
	}
	for want, s := range map[string]stats.Sample{
		"trial x is censored": censored, "the pilot has 3 values": sample(t, 1, 2, 3), "all equal": sample(t, 2, 2, 2, 2), "median is 0": sample(t, 0, 0, 0, 0, 1),
	} {
		if a := From(s, q); a.Known || !strings.Contains(a.Why, want) {
			t.Errorf("%s: %+v", want, a)
		}
	}
}
