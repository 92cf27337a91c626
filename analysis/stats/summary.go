// Package stats summarises a metric over the replicates of a treatment. The unit is the trial: samples within a trial
// are never pooled.
package stats

import (
	"fmt"
	"math"
	"slices"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// An Estimate is a statistic. AtLeast says that censored data leave it open upwards: the truth is Value or more.
type Estimate struct {
	Value   float64
	AtLeast bool
}

// Side is to which side an estimate is rounded: down if the truth is at least that, else to the one given.
func (e Estimate) Side(otherwise quantity.Side) quantity.Side {
	if e.AtLeast {
		return quantity.Down
	}
	return otherwise
}

// Mark is what stands before an estimate: "≥ " if the truth is at least that.
func (e Estimate) Mark() string {
	if e.AtLeast {
		return "≥ "
	}
	return ""
}

// Show writes an estimate in u with four significant digits. The side is Down for the low end of an interval, and Up for its high end.
func (e Estimate) Show(u results.Unit, side quantity.Side) string {
	return e.Mark() + quantity.Bound(e.Value, math.Abs(e.Value)/500, u, e.Side(side))
}

// A Summary describes a sample. All statistics are of the known data; those of an empty sample are NaN.
type Summary struct {
	N        int // data given
	Known    int // of which known, censored ones included
	Censored int

	Min, Q1, Median, Q3, Max Estimate
	// Mean and SD (divisor n−1) are NaN if any datum is censored: no value can stand for it. SD is NaN below two data.
	Mean, SD float64
	// MedianInterval is a confidence interval of the median.
	MedianInterval Interval

	Outliers   []Outlier // kept in all statistics, and named; by trial's order in the sample
	OutlierWhy string    // why none can be told apart
	// Survival is of a sample with censored data, nil of one without.
	Survival *Survival
}

// Summarise describes a sample. The order of its data does not matter.
//
// Quantiles interpolate linearly between order statistics (type 7 of Hyndman and Fan, The American Statistician 50(4),
// 1996, the default of R and NumPy). A censored datum may be anything from its value on. So each statistic is computed
// twice, with the censored data at their values and at infinity; where both agree it is exact, else the former is its
// lower bound.
func Summarise(sample Sample, confidence float64) Summary {
	s := Summary{N: sample.Len(), Mean: math.NaN(), SD: math.NaN()}
	var low, high []float64
	for _, d := range sample.data {
		if !d.Known {
			continue
		}
		s.Known++
		low = append(low, d.Value)
		if d.Censored {
			s.Censored++
			high = append(high, math.Inf(1))
			continue
		}
		high = append(high, d.Value)
	}
	slices.Sort(low)
	slices.Sort(high)
	at := func(p float64) Estimate { return estimate(Quantile(low, p), Quantile(high, p)) }
	s.Min, s.Q1, s.Median, s.Q3, s.Max = at(0), at(0.25), at(0.5), at(0.75), at(1)
	s.MedianInterval = medianInterval(low, high, confidence)
	if s.Censored == 0 && s.Known > 0 {
		s.Mean, s.SD = moments(low)
	}
	s.Outliers, s.OutlierWhy = outliers(sample, s)
	if s.Censored > 0 {
		s.Survival = survive(sample, confidence)
	}
	return s
}

func estimate(low, high float64) Estimate {
	return Estimate{Value: low, AtLeast: low != high && !math.IsNaN(low)}
}

// Quantile is the p-quantile, 0 ≤ p ≤ 1, of sorted values (type 7); NaN if there are none.
func Quantile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 || math.IsNaN(p) || p < 0 || p > 1 {
		return math.NaN()
	}
	h := p * float64(len(sorted)-1)
	i := int(h)
	if part := h - float64(i); part > 0 {
		a, b := sorted[i], sorted[i+1]
		if math.IsInf(b, 1) {
			return b
		}
		return a + part*(b-a)
	}
	return sorted[i]
}

// moments is the mean and the standard deviation, by Welford's recurrence.
func moments(values []float64) (mean, sd float64) {
	var sum float64
	for i, v := range values {
		d := v - mean
		mean += d / float64(i+1)
		sum += d * (v - mean)
	}
	if len(values) < 2 {
		return mean, math.NaN()
	}
	return mean, math.Sqrt(sum / float64(len(values)-1))
}

// An Interval holds a parameter with a confidence of at least what was asked for.
type Interval struct {
	Low, High  Estimate
	Confidence float64 // that it really has
	Known      bool
	Why        string // why it is not known
}

// medianInterval takes order statistics: the k-th smallest and the k-th largest value enclose the median of any continuous
// distribution with probability 1 − 2·P(B ≤ k−1), B binomial with n trials of probability ½ (David and Nagaraja, Order
// Statistics, 3rd ed., section 7.1). The largest k that still has the confidence is taken.
func medianInterval(low, high []float64, confidence float64) Interval {
	n := len(low)
	if !(confidence > 0 && confidence < 1) {
		return Interval{Why: fmt.Sprintf("confidence %v is not between 0 and 1", confidence)}
	}
	best, reached := 0, 0.0
	for k := 1; k <= n/2; k++ {
		c := 1 - 2*atMost(k-1, n)
		if c < confidence {
			break
		}
		best, reached = k, c
	}
	if best == 0 {
		return Interval{Why: fmt.Sprintf("n = %d is too small: %d replicates are needed for %g %%", n, needed(confidence), confidence*100)}
	}
	return Interval{
		Low: estimate(low[best-1], high[best-1]), High: estimate(low[n-best], high[n-best]),
		Confidence: reached, Known: true,
	}
}

// needed is the least n for which the extremes enclose the median: 1 − 2^(1−n) ≥ confidence.
func needed(confidence float64) int {
	return int(math.Ceil(1 - math.Log2(1-confidence)))
}

// atMost is P(B ≤ k) of a binomial with n trials of probability ½, added up in logarithms so that no n overflows.
func atMost(k, n int) float64 {
	whole, _ := math.Lgamma(float64(n + 1))
	var sum float64
	for i := 0; i <= k; i++ {
		a, _ := math.Lgamma(float64(i + 1))
		b, _ := math.Lgamma(float64(n - i + 1))
		sum += math.Exp(whole - a - b - float64(n)*math.Ln2)
	}
	return sum
}
