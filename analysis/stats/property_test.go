package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

func draw(n int, f func() float64) []float64 {
	list := make([]float64, n)
	for i := range list {
		list[i] = f()
	}
	return list
}

func shuffled(s Sample, random *rand.Rand) Sample {
	list := s.Data()
	random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	out, err := NewSample(list)
	if err != nil {
		panic(err)
	}
	return out
}

// The order of data changes nothing, drawn permutations and resamples included; exchanging sides turns signs alone.
func TestOrderChangesNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 6 {
		var names []string
		for i := range 24 {
			names = append(names, fmt.Sprint(i%6))
		}
		base, head := blocked("b", names, draw(24, random.NormFloat64)...), blocked("h", names, draw(24, random.NormFloat64)...)
		for _, b := range []bool{false, true} {
			how := How{Confidence: 0.95, Blocked: b, Seed: 3}
			one, two := Compare(base, head, how), Compare(shuffled(base, random), shuffled(head, random), how)
			one.Base, one.Head, two.Base, two.Head = Summary{}, Summary{}, Summary{}, Summary{}
			if !reflect.DeepEqual(one, two) {
				t.Fatalf("shuffled:\n%+v\n%+v", one, two)
			}
			turned := Compare(head, base, how)
			close9(t, "p turned", turned.Decides.P, one.Decides.P)
			close9(t, "shift turned", -turned.Shift.Value, one.Shift.Value)
			close9(t, "low turned", -turned.Shift.High, one.Shift.Low)
			close9(t, "delta turned", -turned.Delta.Value, one.Delta.Value)
			if turned.Decides.Up != -one.Decides.Up {
				t.Errorf("turned, %s points %d and %d", one.Decides.Name, turned.Decides.Up, one.Decides.Up)
			}
		}
		if Resample(base, 0.9, 1) != Resample(shuffled(base, random), 0.9, 1) {
			t.Error("resampling depends on the order")
		}
	}
}

// Every test that may decide points to where the data are, whatever censoring leaves open.
func TestUpIsTheDirection(t *testing.T) {
	pairs, strata := []string{"1", "2", "3", "4", "5", "6"}, []string{"1", "1", "1", "2", "2", "2"}
	low, high := []float64{1, 2, 3, 4, 5, 6}, []float64{11, 12, 13, 14, 15, 16}
	seen := map[string]bool{}
	for _, names := range [][]string{pairs, strata} {
		for _, b := range []bool{false, true} {
			for _, atLeast := range []bool{false, true} {
				base, head := blocked("b", names, low...), blocked("h", names, high...)
				if atLeast {
					data := head.Data()
					data[0].Censored = true
					head, _ = NewSample(data)
				}
				up, down := Decide(base, head, How{Confidence: 0.95, Blocked: b}), Decide(head, base, How{Confidence: 0.95, Blocked: b})
				seen[up.Name] = true
				if up.Up != 1 || down.Up != -1 {
					t.Errorf("%s points %d up and %d down", up.Name, up.Up, down.Up)
				}
			}
		}
	}
	if len(seen) != 6 {
		t.Errorf("tests seen: %v", seen)
	}
}

// bound is a share of at most p, or at least, by three standard errors of n simulations.
func bound(p float64, n int) float64 { return 3 * math.Sqrt(p*(1-p)/float64(n)) }

// Two samples of one distribution differ at 5 % no more than 5 % of the time, ties and censoring included.
func TestFalsePositives(t *testing.T) {
	const runs = 1000
	random := rand.New(rand.NewPCG(5, 6))
	names := func(n, each int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprint(i/each))
		}
		return list
	}
	limit := func(s Sample) Sample {
		list := s.Data()
		for i, d := range list {
			if d.Value > 1 {
				list[i].Value, list[i].Censored = 1, true
			}
		}
		out, _ := NewSample(list)
		return out
	}
	normal, coarse := random.NormFloat64, func() float64 { return math.Round(random.NormFloat64()) }
	whole := func(s Sample) Sample { return s }
	for _, c := range []struct {
		name    string
		n, each int
		blocked bool
		value   func() float64
		cut     func(Sample) Sample
	}{
		{"unpaired", 8, 8, false, normal, whole},
		{"ties", 8, 8, false, coarse, whole},
		{"censored", 9, 9, false, normal, limit},
		{"pairs", 10, 1, true, normal, whole},
		{"pairs with ties", 12, 1, true, coarse, whole},
		{"censored pairs", 12, 1, true, normal, limit},
		{"strata", 9, 3, true, normal, whole},
		{"large", 60, 60, false, coarse, whole},
	} {
		red := 0
		for range runs {
			b := c.cut(blocked("b", names(c.n, c.each), draw(c.n, c.value)...))
			h := c.cut(blocked("h", names(c.n, c.each), draw(c.n, c.value)...))
			if rankTest(arrange(b, h, c.blocked)).P <= 0.05 {
				red++
			}
		}
		if share := float64(red) / runs; share > 0.05+bound(0.05, runs) || share < 0.01 {
			t.Errorf("%s: %.4f are red", c.name, share)
		}
	}
}

func TestCoverage(t *testing.T) {
	const runs = 500
	random := rand.New(rand.NewPCG(7, 8))
	skewed := func() float64 { return random.ExpFloat64() }
	for each, design := range []string{"unpaired", "pairs", "strata of 2", "strata of 3"} {
		held := 0
		for range runs {
			var names []string
			base, head := draw(8, skewed), draw(8, skewed)
			for i := range base {
				block := i / max(each, 1)
				names = append(names, fmt.Sprint(block))
				base[i], head[i] = base[i]+float64(3*block*each), head[i]+float64(3*block*each)+2
			}
			e := shift(arrange(blocked("b", names, base...), blocked("h", names, head...), each > 0), 0.95)
			if e.Low <= 2 && 2 <= e.High {
				held++
			}
		}
		if share := float64(held) / runs; share < 0.95-bound(0.95, runs) {
			t.Errorf("%s: %.4f of the intervals hold the shift", design, share)
		}
	}
	// A bootstrap is approximate: of 30 normal values it holds the mean in about 94 %.
	mean, median := 0, 0
	const boots = 100
	for range boots {
		b := Resample(data(draw(30, random.NormFloat64)...), 0.95, random.Uint64())
		if b.Mean.Low <= 0 && 0 <= b.Mean.High {
			mean++
		}
		if b.Median.Low <= 0 && 0 <= b.Median.High {
			median++
		}
	}
	t.Logf("bootstrap of 30: %d and %d of %d hold the mean and the median", mean, median, boots)
	for _, n := range []int{mean, median} {
		if share := float64(n) / boots; share < 0.93-bound(0.93, boots) {
			t.Errorf("%.3f of the bootstrap intervals hold the truth", share)
		}
	}
}

// Censored at a limit above all others: ranks know all, the shift as long as the middle is known.
func TestCompareCensored(t *testing.T) {
	head := append(data(11, 12, 13, 14, 15, 16, 17).Data(), Datum{Value: 60, Known: true, Censored: true})
	got := Compare(data(1, 2, 3, 4, 5, 6, 7, 8), sample(head...), How{Confidence: 0.95})
	if got.Decides.Name != "Gehan–Wilcoxon" || got.Decides.P > 0.001 || !strings.Contains(got.Decides.Why, "Gehan") {
		t.Errorf("%+v", got.Decides)
	}
	plain := Compare(data(1, 2, 3, 4, 5, 6, 7, 8), data(11, 12, 13, 14, 15, 16, 17, 1e9), How{Confidence: 0.95})
	if !got.Shift.Known || got.Shift != plain.Shift || got.Delta.Value != 1 || got.Tests[1].Known || got.Tests[2].Known {
		t.Errorf("%+v, want as with any value above: %+v", got.Shift, plain.Shift)
	}
	late := func(values ...float64) Sample {
		list := data(values...).Data()
		for i := range list {
			list[i].Censored = true
		}
		return sample(list...)
	}
	all := Compare(data(1, 2, 3, 4, 5, 6, 7, 8), late(5, 5, 5, 5, 5, 5, 5, 5), How{Confidence: 0.95})
	if all.Shift.Known || !strings.Contains(all.Shift.Why, "nothing bounds it from above") || all.Shift.Value != 0 {
		t.Errorf("all censored: %+v", all.Shift)
	}
	fine := Compare(data(0, 0, 0, 0, 0, 0, 0, 0), late(5.98765, 5.98765, 5.98765, 5.98765, 5.98765, 5.98765, 5.98765, 5.98765), How{Confidence: 0.95})
	if !strings.Contains(fine.Shift.Why, "it is at least 5.987;") && !strings.HasSuffix(fine.Shift.Why, "it is at least 5.987") {
		t.Errorf("a bound is rounded up: %q", fine.Shift.Why)
	}
	both := Compare(late(5, 5, 5, 5), late(5, 5, 5, 5), How{Confidence: 0.95})
	if both.Decides.P != 1 || both.Shift.Known || both.Delta.Known {
		t.Errorf("both censored: %+v", both)
	}
}

// An interval of censored data holds what the whole data would have given.
func TestCensoredIntervalHoldsTheTruth(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 9))
	for range 300 {
		base, head := draw(8, random.NormFloat64), draw(8, random.NormFloat64)
		cut := func(list []float64) Sample {
			d := data(list...).Data()
			for i := range d {
				if d[i].Value > 1 {
					d[i].Value, d[i].Censored = 1, true
				}
			}
			return sample(d...)
		}
		whole := shift(arrange(data(base...), data(head...), false), 0.95)
		part := shift(arrange(cut(base), cut(head), false), 0.95)
		if part.Known && (part.Low > whole.Low || part.High < whole.High || part.Value != whole.Value) {
			t.Fatalf("%+v does not hold %+v", part, whole)
		}
	}
}

// What a ratio's reason names is a ratio, and no logarithm.
func TestRatioUnknown(t *testing.T) {
	late := data(10, 10, 10, 10, 10, 10, 10, 10).Data()
	for i := range late {
		late[i].Censored = true
	}
	got := Compare(data(1, 1, 1, 1, 2, 2, 2, 2), sample(late...), How{Confidence: 0.95}).Ratio
	if got.Known || !strings.Contains(got.Why, "at least 5") {
		t.Errorf("%+v", got)
	}
	if got := Compare(data(0, 1, 2, 3), data(1, 2, 3, 4), How{Confidence: 0.95}).Ratio; got.Known || !strings.Contains(got.Why, "above 0") {
		t.Errorf("%+v", got)
	}
}

func BenchmarkCompare(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{5, 10, 30, 100} {
		base, head := data(draw(n, random.NormFloat64)...), data(draw(n, random.NormFloat64)...)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for range b.N {
				Compare(base, head, How{Confidence: 0.95})
			}
		})
		b.Run(fmt.Sprint("resample ", n), func(b *testing.B) {
			for range b.N {
				Resample(base, 0.95, 1)
			}
		})
	}
}
