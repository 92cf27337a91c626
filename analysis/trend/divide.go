// Package trend finds where a series of runs changed.
package trend

import (
	"math"
	"math/rand/v2"
	"slices"
)

const (
	// least is the fewest values on each side of a change.
	least = 3
	// permutations of each test; with 499 the smallest p is 1/500.
	permutations = 499
)

// A Change is a place in a series where its distribution changed.
type Change struct {
	At int     // index of the first value after it
	P  float64 // of no change, by permutation
}

// Divide finds the changes of a series, in its order, by hierarchical division with the energy statistic (E-divisive; Matteson and James,
// Journal of the American Statistical Association 109, 2014): the place that divides a segment best is tested by permuting the values within
// the segments that are known so far, until one is not significant at alpha. A series of fewer than 6 values has none that could be
// found. The same seed gives the same p.
func Divide(series []float64, alpha float64, seed uint64) []Change {
	r := rand.New(rand.NewPCG(seed, 4)) //nolint:gosec // it must be repeatable
	var changes []Change
	bounds := []int{0, len(series)}
	for {
		at, q := bestOf(series, bounds)
		if at < 0 {
			return changes
		}
		above := 0
		for range permutations {
			if _, other := bestOf(shuffled(series, bounds, r), bounds); other >= q {
				above++
			}
		}
		p := float64(above+1) / float64(permutations+1)
		if p > alpha {
			return changes
		}
		changes = append(changes, Change{at, p})
		slices.SortFunc(changes, func(a, b Change) int { return a.At - b.At })
		bounds = append(bounds, at)
		slices.Sort(bounds)
	}
}

// shuffled permutes the values within each segment.
func shuffled(series []float64, bounds []int, r *rand.Rand) []float64 {
	s := slices.Clone(series)
	for i := range len(bounds) - 1 {
		part := s[bounds[i]:bounds[i+1]]
		r.Shuffle(len(part), func(a, b int) { part[a], part[b] = part[b], part[a] })
	}
	return s
}

// bestOf is the best place to divide any of the segments, and its statistic; −1 if none is long enough.
func bestOf(series []float64, bounds []int) (at int, q float64) {
	at, q = -1, math.Inf(-1)
	for i := range len(bounds) - 1 {
		if j, v := best(series[bounds[i]:bounds[i+1]]); j >= 0 && v > q {
			at, q = bounds[i]+j, v
		}
	}
	return at, q
}

// best is the division with the largest m·n/(m+n) · (2·E|X−Y| − E|X−X'| − E|Y−Y'|), X being the m values before it and Y the n after (equations 5
// and 6 of the paper, with exponent 1).
func best(s []float64) (at int, q float64) {
	at, q = -1, math.Inf(-1)
	if len(s) < 2*least {
		return at, q
	}
	// Sums of distances within both sides and between them, as values move from one to the other.
	var within, between, after float64
	for i := range s {
		for j := range i {
			after += math.Abs(s[i] - s[j])
		}
	}
	for k := 0; k < len(s)-1; k++ {
		var left, right float64
		for i := range k {
			left += math.Abs(s[k] - s[i])
		}
		for i := k + 1; i < len(s); i++ {
			right += math.Abs(s[k] - s[i])
		}
		within += left
		after -= right
		between += right - left
		m, n := float64(k+1), float64(len(s)-k-1)
		if k+1 < least || len(s)-k-1 < least {
			continue
		}
		v := m * n / (m + n) * (2*between/(m*n) - 2*within/(m*(m-1)) - 2*after/(n*(n-1)))
		if v > q {
			at, q = k+1, v
		}
	}
	return at, q
}
