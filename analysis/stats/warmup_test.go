package stats

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

func TestWarmUp(t *testing.T) {
	text, err := os.ReadFile("testdata/warmup.json")
	if err != nil {
		t.Fatal(err)
	}
	var ref struct {
		Cases []struct {
			Order, Values [][]float64
			Z, P, Change  float64
			First         int
		}
	}
	if err := json.Unmarshal(text, &ref); err != nil || len(ref.Cases) < 4 {
		t.Fatalf("%d cases: %v", len(ref.Cases), err)
	}
	for i, c := range ref.Cases {
		var samples []Sample
		for j := range c.Order {
			samples = append(samples, ordered(t, fmt.Sprint(j), c.Order[j], c.Values[j]))
		}
		got := DetectWarmUp(samples, 1)
		// p is drawn: four standard errors of it.
		slack := 4*math.Sqrt(c.P*(1-c.P)/warmUpDraws) + 1.0/warmUpDraws
		if !got.Test.Known || math.Abs(got.Test.Statistic-c.Z) > 1e-9 || got.First != c.First || math.Abs(got.Test.P-c.P) > slack || math.Abs(got.Change.Value-c.Change) > 1e-12 {
			t.Errorf("case %d: %+v, want z %v, p %v ± %v, first %d, change %v", i, got, c.Z, c.P, slack, c.First, c.Change)
		}
	}
}

func TestWarmUpUnknown(t *testing.T) {
	for name, c := range map[string]struct {
		places, values []float64
		why            string
	}{
		"few":  {[]float64{1, 2, 3, 4, 5}, []float64{9, 1, 2, 3, 4}, "n = 5"},
		"same": {[]float64{1, 2, 3, 4, 5, 6, 7, 8}, []float64{2, 2, 2, 2, 2, 2, 2, 2}, "the same"},
	} {
		if got := DetectWarmUp([]Sample{ordered(t, name, c.places, c.values)}, 1); got.Test.Known || !strings.Contains(got.Test.Why, c.why) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestWarmUpFalseAlarms simulates runs without a warm-up, with long tails and of one treatment or of three, and runs with one.
func TestWarmUpFalseAlarms(t *testing.T) {
	const runs = 150
	random := rand.New(rand.NewPCG(7, 7))
	simulate := func(treatments, n, slow int, factor float64) []Sample {
		var samples []Sample
		places := random.Perm(treatments * n)
		for k := range treatments {
			var at, values []float64
			for i := range n {
				place := places[k*n+i] + 1
				v := float64(k+1) * math.Exp(0.1*random.NormFloat64())
				if place <= slow {
					v *= factor
				}
				at, values = append(at, float64(place)), append(values, v)
			}
			samples = append(samples, ordered(t, fmt.Sprint(k), at, values))
		}
		return samples
	}
	for _, c := range []struct{ treatments, n int }{{1, 8}, {1, 20}, {3, 3}, {3, 10}, {1, 50}} {
		alarms, found := 0, 0
		for i := range runs {
			if w := DetectWarmUp(simulate(c.treatments, c.n, 0, 1), uint64(i)); w.Test.P < 0.05 {
				alarms++
			}
			if w := DetectWarmUp(simulate(c.treatments, c.n, max(1, c.treatments*c.n/5), 1.6), uint64(i)); w.Test.P < 0.05 {
				found++
			}
		}
		t.Logf("%d treatments of %d: %.1f %% false alarms, %.0f %% found", c.treatments, c.n, 100*float64(alarms)/runs, 100*float64(found)/runs)
		if most := 0.05*runs + 3*math.Sqrt(0.05*0.95*runs); float64(alarms) > most {
			t.Errorf("%d treatments of %d: %d of %d runs without a warm-up have one, want at most %.0f", c.treatments, c.n, alarms, runs, most)
		}
		if c.treatments*c.n >= 20 && found < runs*8/10 {
			t.Errorf("%d treatments of %d: %d of %d warm-ups found", c.treatments, c.n, found, runs)
		}
	}
}
