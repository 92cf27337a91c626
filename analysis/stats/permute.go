package stats

import (
	"math"
	"math/rand/v2"
)

// exactLimit is up to how many ways of dealing out the data all are counted; of more, drawn ones are.
const (
	exactLimit = 100_000
	draws      = 20_000
)

// A scored datum is what a permutation test deals out between base and head.
type scored struct {
	score float64
	head  bool
}

// permuteStrata is the two-sided p of the sum of head's scores, when within each stratum it is chance which data are head's: the
// share of all ways to deal them out whose sum is as far from the expected one as this, or further. Where there are too many
// ways, ways are drawn, and p is (b+1)/(m+1), which is never too small (Phipson and Smyth, Statistical Applications in
// Genetics and Molecular Biology 9(1), 2010).
func permuteStrata(strata [][]scored, seed uint64) (statistic, p float64, exact bool) {
	var expected float64
	ways := 1.0
	for _, stratum := range strata {
		heads, sum := 0, 0.0
		for _, d := range stratum {
			sum += d.score
			if d.head {
				heads++
				statistic += d.score
			}
		}
		expected += sum * float64(heads) / float64(len(stratum))
		ways *= choose(len(stratum), heads)
	}
	far := math.Abs(statistic - expected)
	asFar := func(sum float64) bool { return math.Abs(sum-expected) >= far*(1-1e-12)-1e-300 }
	if ways <= exactLimit {
		all, hits := 0, 0
		deal(strata, 0, func(sum float64) {
			all++
			if asFar(sum) {
				hits++
			}
		})
		return statistic, float64(hits) / float64(all), true
	}
	r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // resampling must be repeatable
	hits := 0
	for range draws {
		if asFar(drawn(strata, r)) {
			hits++
		}
	}
	return statistic, float64(hits+1) / float64(draws+1), false
}

func choose(n, k int) float64 {
	c := 1.0
	for i := range k {
		c = c * float64(n-i) / float64(i+1)
	}
	return math.Round(c)
}

// deal calls visit with the sum of each way to choose head's data in all strata.
func deal(strata [][]scored, sum float64, visit func(float64)) {
	if len(strata) == 0 {
		visit(sum)
		return
	}
	stratum, heads := strata[0], 0
	for _, d := range stratum {
		if d.head {
			heads++
		}
	}
	var pick func(from, left int, sum float64)
	pick = func(from, left int, sum float64) {
		if left == 0 {
			deal(strata[1:], sum, visit)
			return
		}
		for i := from; i <= len(stratum)-left; i++ {
			pick(i+1, left-1, sum+stratum[i].score)
		}
	}
	pick(0, heads, sum)
}

// drawn is the sum of one way, drawn.
func drawn(strata [][]scored, r *rand.Rand) float64 {
	var sum float64
	for _, stratum := range strata {
		left := 0
		for _, d := range stratum {
			if d.head {
				left++
			}
		}
		for i, d := range stratum { // Knuth's algorithm S
			if r.IntN(len(stratum)-i) < left {
				sum += d.score
				left--
			}
		}
	}
	return sum
}
