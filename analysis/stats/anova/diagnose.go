package anova

import (
	"fmt"
	"math"
	"slices"
	"virtscope/analysis/stats"
)

// normality is Anderson and Darling's test with mean and spread estimated; p by D'Agostino and Stephens, Goodness-of-Fit
// Techniques, 1986, table 4.9. Residuals are not independent of each other, which it neglects.
func normality(residuals []float64, freedom int) stats.Test {
	t := stats.Test{Name: "Anderson–Darling"}
	n := float64(len(residuals))
	if n < 8 || freedom < 4 {
		t.Why = fmt.Sprintf("n = %d with %d degrees of freedom is too small: 8 and 4 are needed", len(residuals), freedom)
		return t
	}
	x := slices.Clone(residuals)
	slices.Sort(x)
	mean, sum := 0.0, 0.0
	for _, v := range x {
		mean += v / n
	}
	for _, v := range x {
		sum += (v - mean) * (v - mean)
	}
	sd := math.Sqrt(sum / (n - 1))
	if sd == 0 {
		t.Why = "no residual varies"
		return t
	}
	a := -n
	for i := range x {
		z, w := (x[i]-mean)/sd, (x[len(x)-1-i]-mean)/sd
		a -= float64(2*i+1) / n * (logNormal(z) + logNormal(-w))
	}
	t.Statistic, t.Known = a, true
	a *= 1 + 0.75/n + 2.25/(n*n)
	switch {
	case a < 0.2:
		t.P = 1 - math.Exp(-13.436+101.14*a-223.73*a*a)
	case a < 0.34:
		t.P = 1 - math.Exp(-8.318+42.796*a-59.938*a*a)
	case a < 0.6:
		t.P = math.Exp(0.9177 - 4.279*a - 1.38*a*a)
	case a < 10:
		t.P = math.Exp(1.2937 - 5.709*a + 0.0186*a*a)
	default:
		t.P = 3.7e-24
	}
	return t
}

// logNormal is the logarithm of the standard normal distribution function, without underflow.
func logNormal(z float64) float64 {
	if z < -35 {
		return -z*z/2 - math.Log(-z) - math.Log(2*math.Pi)/2
	}
	return math.Log(math.Erfc(-z/math.Sqrt2) / 2)
}

// spread is Brown and Forsythe's test (JASA 69, 1974): do distances from the median differ between cells?
func spread(in input) stats.Test {
	t := stats.Test{Name: "Brown–Forsythe"}
	cells := map[int][]float64{}
	var names []int
	for i, v := range in.y {
		c := cell(in.factors, i)
		if cells[c] == nil {
			names = append(names, c)
		}
		cells[c] = append(cells[c], v)
	}
	var total, n, within, between, groups float64
	var means, sizes []float64
	for _, c := range names {
		values := cells[c]
		if len(values) < 2 {
			continue
		}
		slices.Sort(values)
		median := stats.Quantile(values, 0.5)
		sum := 0.0
		for i, v := range values {
			values[i] = math.Abs(v - median)
			sum += values[i]
		}
		mean := sum / float64(len(values))
		for _, v := range values {
			within += (v - mean) * (v - mean)
		}
		means, sizes = append(means, mean), append(sizes, float64(len(values)))
		total, n, groups = total+sum, n+float64(len(values)), groups+1
	}
	if groups < 2 || within == 0 {
		t.Why = "two cells with several values that vary are needed"
		return t
	}
	for i, m := range means {
		between += sizes[i] * (m - total/n) * (m - total/n)
	}
	t.Statistic = between / (groups - 1) / (within / (n - groups))
	t.P, t.Known = survivalF(t.Statistic, groups-1, n-groups), true
	return t
}
