package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// resamples is how often a sample is drawn again: enough for the 2.5 % points (Efron and Tibshirani, An Introduction to the
// Bootstrap, section 14.3).
const resamples = 5000

// leastForBootstrap is the least n of which a bootstrap is made: of fewer, too few resamples differ.
const leastForBootstrap = 6

// Statistics of which a bootstrap is made.
var (
	MeanOf   = func(values []float64) float64 { m, _ := moments(values); return m }
	MedianOf = func(values []float64) float64 { return median(slices.Clone(values)) }
)

// BCa is a statistic with its bias-corrected and accelerated bootstrap interval (Efron, Journal of the American Statistical
// Association 82, 1987). Its confidence holds for large n only; of n below 20 it is mostly too narrow, and the interval of order
// statistics is to be preferred. It is not known of censored data, of fewer than 6, and of data that are all equal.
func BCa(s Sample, statistic func([]float64) float64, how How) Effect {
	values := s.values()
	switch {
	case s.censored() > 0:
		return Effect{Why: fmt.Sprintf("%d of the data are censored", s.censored())}
	case len(values) == 0:
		return Effect{Why: "there are no data"}
	}
	e := Effect{Value: statistic(values), Known: true, Low: math.Inf(-1), High: math.Inf(1)}
	slices.Sort(values) // the order of trials must not change the figures
	switch {
	case len(values) < leastForBootstrap:
		e.Why = fmt.Sprintf("no interval: n = %d is too small: %d are needed", len(values), leastForBootstrap)
		return e
	case values[0] == values[len(values)-1]:
		e.Why = "no interval: all data are equal"
		return e
	}
	again := redrawn(values, statistic, how.Seed)
	below := 0.0
	for _, v := range again {
		switch {
		case v < e.Value:
			below++
		case v == e.Value:
			below += 0.5
		}
	}
	bias := distuv.UnitNormal.Quantile(below / float64(len(again)))
	if math.IsInf(bias, 0) || math.IsNaN(bias) {
		e.Why = "no interval: all resamples lie on one side of the statistic"
		return e
	}
	a := acceleration(values, statistic)
	point := func(p float64) float64 {
		z := bias + distuv.UnitNormal.Quantile(p)
		return Quantile(again, distuv.UnitNormal.CDF(bias+z/(1-a*z)))
	}
	tail := (1 - how.Confidence) / 2
	e.Low, e.High, e.Confidence = point(tail), point(1-tail), how.Confidence
	return e
}

// redrawn are the statistics of the resamples, sorted.
func redrawn(values []float64, statistic func([]float64) float64, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 2)) //nolint:gosec // resampling must be repeatable
	again, one := make([]float64, resamples), make([]float64, len(values))
	for i := range again {
		for j := range one {
			one[j] = values[r.IntN(len(values))]
		}
		again[i] = statistic(one)
	}
	slices.Sort(again)
	return again
}

// acceleration is by the jackknife (Efron and Tibshirani, equation 14.15); 0 where leaving one out changes nothing.
func acceleration(values []float64, statistic func([]float64) float64) float64 {
	each := make([]float64, len(values))
	for i := range values {
		each[i] = statistic(slices.Concat(values[:i], values[i+1:]))
	}
	mean, _ := moments(each)
	var cubes, squares float64
	for _, v := range each {
		d := mean - v
		cubes += d * d * d
		squares += d * d
	}
	if squares == 0 {
		return 0
	}
	return cubes / (6 * math.Pow(squares, 1.5))
}
