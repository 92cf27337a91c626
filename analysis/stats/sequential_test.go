package stats

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// The chance of crossing is that over all walks, enumerated.
func TestCrossingIsThatOfAllWalks(t *testing.T) {
	const last = 16
	for _, first := range []int{1, 5, 9} {
		m, err := NewMedianSequence(first, last, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		crossed := 0
		for walk := range uint32(1) << last {
			for n := first; n <= last; n++ {
				heads := bits.OnesCount32(walk & (1<<n - 1))
				if heads < m.rank[n] || heads > n-m.rank[n] {
					crossed++
					break
				}
			}
		}
		if got, want := 1-m.Real, float64(crossed)/(1<<last); math.Abs(got-want) > 1e-12 || m.Real < 0.9 {
			t.Errorf("first look after %d: %v, enumerated %v", first, got, want)
		}
	}
}

// Who looks after each trial and stops once the interval is narrow has the median in it as often as was asked; with intervals of a fixed number, less.
func TestSequentialCoverage(t *testing.T) {
	const runs, first, last, confidence = 4000, 6, 30, 0.95
	random := rand.New(rand.NewPCG(11, 12))
	m, err := NewMedianSequence(first, last, confidence)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		draw   func() float64
		median float64
	}{
		{"normal", func() float64 { return 10 + random.NormFloat64() }, 10},
		{"lognormal", func() float64 { return math.Exp(1 + random.NormFloat64()) }, math.E},
		{"bimodal", func() float64 { return 10 + random.NormFloat64()/10 + float64(random.IntN(2))*3 }, math.NaN()},
		{"whole ms", func() float64 { return math.Round(10 + random.NormFloat64()) }, 10},
	} {
		within := 0.05
		if c.name == "lognormal" {
			within = 0.5
		}
		inside := func(i Interval) bool { return i.Low.Value <= c.median && c.median <= i.High.Value }
		if c.name == "bimodal" { // any value in the gap is a median
			inside = func(i Interval) bool { return i.Low.Value <= 12 && i.High.Value >= 11 }
		}
		held, naive, used := 0, 0, 0
		for range runs {
			data := draw(last, c.draw)
			stop := func(interval func(Sample) Interval) (Interval, int) {
				for n := first; ; n++ {
					s := plain(data[:n])
					i := interval(s)
					if n == last || i.Known && i.High.Value-i.Low.Value <= 2*within*Summarise(s, confidence).Median.Value {
						return i, n
					}
				}
			}
			i, n := stop(m.Interval)
			used += n
			if inside(i) {
				held++
			}
			if i, _ = stop(func(s Sample) Interval { return Summarise(s, confidence).MedianInterval }); inside(i) {
				naive++
			}
		}
		share, fixed := float64(held)/runs, float64(naive)/runs
		t.Logf("%-10s sequential %.1f %%, as if the number were fixed %.1f %%, %.1f trials of %d", c.name, 100*share, 100*fixed, float64(used)/runs, last)
		if share < confidence-bound(confidence, runs) {
			t.Errorf("%s: coverage %.3f", c.name, share)
		}
		if c.name == "normal" && fixed >= share {
			t.Errorf("looking often costs nothing: %.3f and %.3f", fixed, share)
		}
	}
}

func plain(values []float64) Sample {
	var list []Datum
	for i, v := range values {
		list = append(list, Datum{Trial: fmt.Sprint(i), Value: v, Known: true})
	}
	s, _ := NewSample(list)
	return s
}

func TestMedianSequenceIntervals(t *testing.T) {
	m, err := NewMedianSequence(6, 20, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	ten := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	if i := m.Interval(plain(ten[:5])); i.Known || i.Why == "" {
		t.Errorf("before the first look: %+v", i)
	}
	if i := m.Interval(plain(append(ten, append(ten, ten...)...))); i.Known {
		t.Errorf("after the last look: %+v", i)
	}
	i := m.Interval(plain(ten))
	if !i.Known || i.Low.Value > 2 || i.High.Value < 9 || i.Confidence < 0.95 {
		t.Errorf("%+v", i)
	}
	data := plain(ten).Data()
	for k := 6; k < 10; k++ {
		data[k].Censored = true
	}
	s, _ := NewSample(data)
	if c := m.Interval(s); !c.Known || !c.High.AtLeast || c.Low != i.Low {
		t.Errorf("censored: %+v", c)
	}
	for _, bad := range [][2]int{{0, 5}, {5, 4}, {1, 10_001}} {
		if _, err := NewMedianSequence(bad[0], bad[1], 0.95); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
}

// TestComparingWhatStopped compares equals whose numbers of trials were set by their own spread. The tests take the numbers as set
// beforehand, and find a difference more often than alpha says, if less than twice as often: so compare warns, and does not gate.
func TestComparingWhatStopped(t *testing.T) {
	const rounds, alpha, last = 500, 0.05, 30
	m, err := NewMedianSequence(5, last, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	for name, draw := range map[string]func(*rand.Rand) float64{
		"normal":    func(r *rand.Rand) float64 { return 100 + 10*r.NormFloat64() },
		"lognormal": func(r *rand.Rand) float64 { return 100 * math.Exp(0.3*r.NormFloat64()) },
		"bimodal": func(r *rand.Rand) float64 {
			if r.Float64() < 0.4 {
				return 80 + 4*r.NormFloat64()
			}
			return 104 + 4*r.NormFloat64()
		},
	} {
		r := rand.New(rand.NewPCG(11, 11))
		stopped := func() Sample {
			var data []Datum
			for len(data) < last && !m.Look(Sample{data}, 0.10).Enough {
				data = append(data, Datum{Trial: fmt.Sprint(len(data)), Value: draw(r), Known: true})
			}
			return Sample{data}
		}
		found := 0
		for range rounds {
			if Decide(stopped(), stopped(), How{Confidence: 0.95}).P < alpha {
				found++
			}
		}
		t.Logf("%-10s %.1f %% of comparisons of equals", name, 100*float64(found)/rounds)
		if limit := 2*alpha + 3*math.Sqrt(2*alpha*(1-2*alpha)/rounds); float64(found)/rounds > limit {
			t.Errorf("%s: %d of %d comparisons of equals find a difference", name, found, rounds)
		}
	}
}
