package stats

import (
	"fmt"
	"math"
	"testing"
)

// sample names the trials.
func sample(list ...Datum) Sample {
	for i := range list {
		list[i].Trial = fmt.Sprint(i + 1)
	}
	s, err := NewSample(list)
	if err != nil {
		panic(err)
	}
	return s
}

func data(values ...float64) Sample {
	var list []Datum
	for _, v := range values {
		list = append(list, Datum{Value: v, Known: true})
	}
	return sample(list...)
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.IsNaN(want) && math.IsNaN(got) {
		return
	}
	if math.IsNaN(got) || math.Abs(got-want) > 1e-12*max(1, math.Abs(want)) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

// Wanted values follow from the definition by hand; R's quantile(x, type = 7) and sd(x) define the same:
// quantile(c(1,2,3,4)) is 1 1.75 2.5 3.25 4.
func TestSummarise(t *testing.T) {
	for _, c := range []struct {
		values                             []float64
		min, q1, median, q3, max, mean, sd float64
	}{
		{[]float64{4, 1, 3, 2}, 1, 1.75, 2.5, 3.25, 4, 2.5, math.Sqrt(5.0 / 3)},
		{[]float64{1, 2, 3, 4, 5}, 1, 2, 3, 4, 5, 3, math.Sqrt(2.5)},
		{[]float64{2.5}, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5, math.NaN()},
		{[]float64{10, 20}, 10, 12.5, 15, 17.5, 20, 15, math.Sqrt(50)},
	} {
		s := Summarise(data(c.values...), 0.95)
		near(t, "min", s.Min.Value, c.min)
		near(t, "q1", s.Q1.Value, c.q1)
		near(t, "median", s.Median.Value, c.median)
		near(t, "q3", s.Q3.Value, c.q3)
		near(t, "max", s.Max.Value, c.max)
		near(t, "mean", s.Mean, c.mean)
		near(t, "sd", s.SD, c.sd)
	}
}

// The standard deviation must not lose digits to a large mean (NIST StRD NumAcc3: 1000000.2, then 0.1 and 0.3 in turn).
func TestSDKeepsDigits(t *testing.T) {
	values := []float64{1000000.2}
	for range 500 {
		values = append(values, 1000000.1, 1000000.3)
	}
	s := Summarise(data(values...), 0.95)
	if math.Abs(s.Mean-1000000.2) > 1e-7 || math.Abs(s.SD-0.1) > 1e-9 {
		t.Errorf("mean %v, sd %v, want 1000000.2, 0.1", s.Mean, s.SD)
	}
}

func TestNothingKnown(t *testing.T) {
	s := Summarise(sample(Datum{}, Datum{}), 0.95)
	if s.N != 2 || s.Known != 0 || !math.IsNaN(s.Median.Value) || s.Median.AtLeast || s.MedianInterval.Known {
		t.Errorf("%+v", s)
	}
}

func TestCensored(t *testing.T) {
	with := func(limit float64) Summary {
		return Summarise(sample(append(data(1, 2, 3, 4).Data(), Datum{Value: limit, Known: true, Censored: true})...), 0.95)
	}
	// The truth is at least 9, above all others: the median is known, the maximum is not.
	s := with(9)
	if s.Median != (Estimate{3, false}) || s.Max != (Estimate{9, true}) || s.Q3 != (Estimate{4, false}) || s.Censored != 1 {
		t.Errorf("censored at 9: %+v", s)
	}
	// The truth is at least 1.5, and may be anything above: the median is between 2 and 3.
	s = with(1.5)
	if s.Median != (Estimate{2, true}) || s.Min != (Estimate{1, false}) {
		t.Errorf("censored at 1.5: %+v", s)
	}
	if !math.IsNaN(s.Mean) || !math.IsNaN(s.SD) {
		t.Error("a censored datum must leave no mean")
	}
}

// Ranks and confidences as tabulated for the sign test (n = 6: 1–6, 96.875 %; n = 10: 2–9, 97.85 %; n = 20: 6–15, 95.86 %).
func TestMedianInterval(t *testing.T) {
	for _, c := range []struct {
		n          int
		low, high  float64
		confidence float64
	}{{6, 1, 6, 0.96875}, {10, 2, 9, 0.978515625}, {20, 6, 15, 0.9586105346679688}} {
		var values []float64
		for i := range c.n {
			values = append(values, float64(i+1))
		}
		i := Summarise(data(values...), 0.95).MedianInterval
		if !i.Known || i.Low.Value != c.low || i.High.Value != c.high {
			t.Errorf("n = %d: %+v", c.n, i)
		}
		near(t, "confidence", i.Confidence, c.confidence)
	}
	small := Summarise(data(1, 2, 3, 4, 5), 0.95).MedianInterval
	if small.Known || small.Why != "n = 5 is too small: 6 replicates are needed for 95 %" {
		t.Errorf("n = 5: %+v", small)
	}
	huge := medianInterval(make([]float64, 5000), make([]float64, 5000), 0.95)
	if !huge.Known || huge.Confidence < 0.95 || huge.Confidence > 0.96 {
		t.Errorf("n = 5000: %+v", huge)
	}
}
