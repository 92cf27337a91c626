package stats

import (
	"fmt"
	"math"
	"slices"

	moremath "github.com/aclements/go-moremath/stats"
	"gonum.org/v1/gonum/stat/distuv"
)

// hodgesLehmann is the median of all differences head less base, with the interval that the Mann–Whitney test inverted gives:
// the k-th smallest and largest difference, k the largest whose confidence, 1 − 2·P(U ≤ k−1), is enough (Hollander and Wolfe,
// Nonparametric Statistical Methods, 2nd ed., sections 4.2 and 4.3). With ties it is conservative.
func hodgesLehmann(base, head []float64, confidence float64) Effect {
	if len(base) == 0 || len(head) == 0 {
		return Effect{Why: "a side has no data"}
	}
	var all []float64
	for _, h := range head {
		for _, b := range base {
			all = append(all, h-b)
		}
	}
	e := Effect{Value: median(all), Known: true, Low: math.Inf(-1), High: math.Inf(1)}
	k, reached := smallest(len(all), confidence, mannWhitneyBelow(len(base), len(head)))
	if k == 0 {
		e.Why = "no interval: " + needs(neededSides(confidence))
		return e
	}
	e.Low, e.High, e.Confidence = all[k-1], all[len(all)-k], reached
	return e
}

// smallest is the largest k whose interval still has the confidence, and what it really has; 0 if none has.
func smallest(n int, confidence float64, below func(k int) float64) (k int, reached float64) {
	for i := 1; i <= (n+1)/2; i++ {
		c := 1 - 2*below(i)
		if c < confidence {
			break
		}
		k, reached = i, c
	}
	return k, reached
}

// mannWhitneyBelow is P(U ≤ k−1) under no difference, by the normal curve where the exact count would be long.
func mannWhitneyBelow(m, n int) func(int) float64 {
	if m*n <= 2500 {
		u := moremath.UDist{N1: m, N2: n}
		return func(k int) float64 { return u.CDF(float64(k - 1)) }
	}
	curve := distuv.Normal{Mu: float64(m*n) / 2, Sigma: math.Sqrt(float64(m*n*(m+n+1)) / 12)}
	return func(k int) float64 { return curve.CDF(float64(k) - 0.5) }
}

// neededSides is the least n a side from which on the extreme differences have the confidence: 1 − 2/C(2n, n).
func neededSides(confidence float64) int {
	n := 1
	for 1-2/choose(2*n, n) < confidence {
		n++
	}
	return n
}

// pairedShift is the median of the Walsh averages of the differences, with the interval that the signed-rank test inverted gives (Hollander and
// Wolfe, sections 3.2 and 3.3).
func pairedShift(base, head []float64, confidence float64) Effect {
	var all []float64
	for i := range base {
		for j := range i + 1 {
			all = append(all, (head[i]-base[i]+head[j]-base[j])/2)
		}
	}
	if len(all) == 0 {
		return Effect{Why: "there is no pair"}
	}
	e := Effect{Value: median(all), Known: true, Low: math.Inf(-1), High: math.Inf(1)}
	k, reached := smallest(len(all), confidence, signedRankBelow(len(base)))
	if k == 0 {
		e.Why = fmt.Sprintf("no interval: n is too small: %d pairs are needed", needed(confidence))
		return e
	}
	e.Low, e.High, e.Confidence = all[k-1], all[len(all)-k], reached
	return e
}

// signedRankBelow is P(T ≤ k−1) under no difference.
func signedRankBelow(n int) func(int) float64 {
	ranks := make([]int, n)
	for i := range ranks {
		ranks[i] = i + 1
	}
	chances := subsetChances(ranks)
	sums := make([]float64, len(chances)+1)
	for i, c := range chances {
		sums[i+1] = sums[i] + c
	}
	return func(k int) float64 { return sums[min(k, len(chances))] }
}

// asRatio is a shift of logarithms as a ratio.
func asRatio(e Effect) Effect {
	if e.Known {
		e.Value, e.Low, e.High = math.Exp(e.Value), math.Exp(e.Low), math.Exp(e.High)
	}
	return e
}

// logs of values; ok is false unless all are positive.
func logs(values []float64) (list []float64, ok bool) {
	for _, v := range values {
		if v <= 0 {
			return nil, false
		}
		list = append(list, math.Log(v))
	}
	return list, true
}

// cliff is Cliff's delta with the asymmetric interval of Feng and Cliff (Journal of Modern Applied Statistical Methods 3(2), 2004,
// equations 4 to 8). Of samples that do not overlap the interval would be of no width, and is not given.
func cliff(base, head []Datum, confidence float64) Effect {
	m, n := float64(len(head)), float64(len(base))
	if m == 0 || n == 0 {
		return Effect{Why: "a side has no data"}
	}
	rows, columns := make([]float64, len(head)), make([]float64, len(base))
	var sum float64
	for i, h := range head {
		for j, b := range base {
			d := float64(surely(h, b))
			rows[i] += d / n
			columns[j] += d / m
			sum += d
		}
	}
	delta := sum / (m * n)
	e := Effect{Value: delta, Known: true, Low: -1, High: 1}
	switch {
	case m < 2 || n < 2:
		e.Why = "no interval: it needs two data a side"
		return e
	case math.Abs(delta) == 1:
		e.Why = "no interval: the samples do not overlap"
		return e
	}
	var byRow, byColumn, cells float64
	for i, h := range head {
		byRow += (rows[i] - delta) * (rows[i] - delta)
		for _, b := range base {
			d := float64(surely(h, b)) - delta
			cells += d * d
		}
	}
	for _, c := range columns {
		byColumn += (c - delta) * (c - delta)
	}
	variance := (n*n*byRow + m*m*byColumn - cells) / (m * n * (m - 1) * (n - 1))
	variance = max(variance, (1-delta*delta)/(m*n-1))
	z := distuv.UnitNormal.Quantile(1 - (1-confidence)/2)
	spread := z * math.Sqrt(variance) * math.Sqrt((1-delta*delta)*(1-delta*delta)+z*z*variance)
	under := 1 - delta*delta + z*z*variance
	middle := delta - delta*delta*delta
	e.Low, e.High, e.Confidence = max(-1, (middle-spread)/under), min(1, (middle+spread)/under), confidence
	return e
}

func argsort(values []float64) []int {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case values[a] < values[b]:
			return -1
		case values[a] > values[b]:
			return 1
		}
		return 0
	})
	return order
}
