package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// bootstrapLeast is the least n of a bootstrap interval: below it, intervals cover far less than they say.
const bootstrapLeast = 10

// A Bootstrap is intervals by resampling, of nominal confidence: with few data they cover a little less.
type Bootstrap struct{ Mean, Median Effect }

// Resample gives the bias-corrected and accelerated intervals of the mean and the median (Efron, JASA 82, 1987), by 9999
// resamples that the seed draws. The order of the data does not matter. With fewer than 10 known data, or censored ones, nothing is
// known: Summary.MedianInterval needs fewer and assumes less.
func Resample(sample Sample, confidence float64, seed uint64) Bootstrap {
	data := known(sample)
	no := func(why string) Bootstrap { return Bootstrap{Effect{Why: why}, Effect{Why: why}} }
	switch {
	case !(confidence > 0 && confidence < 1):
		return no(fmt.Sprintf("confidence %v is not between 0 and 1", confidence))
	case len(data) < bootstrapLeast:
		return no(fmt.Sprintf("n = %d is too small: %d replicates are needed for a bootstrap", len(data), bootstrapLeast))
	case anyCensored(data):
		return no("a censored value cannot be resampled")
	case data[0].Value == data[len(data)-1].Value:
		return no("no value varies: a bootstrap sees no spread")
	}
	x := values(data)
	random := rand.New(rand.NewPCG(seed, 0xb007))
	means, medians := make([]float64, resamples), make([]float64, resamples)
	drawn := make([]float64, len(x))
	for i := range resamples {
		for j := range drawn {
			drawn[j] = x[random.IntN(len(x))]
		}
		slices.Sort(drawn)
		means[i], medians[i] = mean(drawn), Quantile(drawn, 0.5)
	}
	median := func(sorted []float64) float64 { return Quantile(sorted, 0.5) }
	return Bootstrap{accelerated(x, mean, means, confidence), accelerated(x, median, medians, confidence)}
}

func mean(list []float64) float64 {
	m, _ := moments(list)
	return m
}

// accelerated takes the interval from resampled statistics of x, which is sorted.
func accelerated(x []float64, statistic func([]float64) float64, list []float64, confidence float64) Effect {
	slices.Sort(list)
	e := Effect{Value: statistic(x), Confidence: confidence}
	scale := 1e-12 * max(math.Abs(x[0]), math.Abs(x[len(x)-1])) // sums in another order differ by rounding
	below, equal := 0.0, 0.0
	for _, v := range list {
		switch {
		case math.Abs(v-e.Value) <= scale:
			equal++
		case v < e.Value:
			below++
		}
	}
	z0 := distuv.UnitNormal.Quantile((below + equal/2) / float64(len(list)))
	a := acceleration(x, statistic)
	at := func(p float64) float64 {
		z := z0 + distuv.UnitNormal.Quantile(p)
		return Quantile(list, distuv.UnitNormal.CDF(z0+z/(1-a*z)))
	}
	e.Low, e.High = at((1-confidence)/2), at((1+confidence)/2)
	if math.IsNaN(e.Low) || math.IsNaN(e.High) || math.IsInf(z0, 0) {
		return Effect{Why: "the resamples are too skewed for an interval"}
	}
	e.Known = true
	return e
}

// acceleration is from the jackknife: a sixth of its skewness.
func acceleration(x []float64, statistic func([]float64) float64) float64 {
	var each []float64
	for i := range x {
		each = append(each, statistic(slices.Delete(slices.Clone(x), i, i+1)))
	}
	centre := mean(each)
	var squares, cubes float64
	for _, v := range each {
		d := centre - v
		squares, cubes = squares+d*d, cubes+d*d*d
	}
	if squares == 0 {
		return 0
	}
	return cubes / (6 * math.Pow(squares, 1.5))
}
