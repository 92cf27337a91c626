package stats

import (
	"math"
	"slices"
)

// A stratum is the scores of data whose sides the null hypothesis exchanges: any `head` of them could be head's.
type stratum struct {
	scores []int
	head   int
}

// A distribution of integers: p[i] is the probability of low + i.
type distribution struct {
	low int
	p   []float64
}

// work is how many additions an exact distribution may take.
const work = 5e7

// exactSum is the distribution of the sum of head's scores over all strata; ok is false where it would take too long. Subsets
// are counted by size and sum, as Streitberg and Röhmel do (Statistical Software Newsletter 12, 1986, the shift algorithm), so
// that ties need no correction.
func exactSum(strata []stratum) (d distribution, ok bool) {
	d = distribution{p: []float64{1}}
	cost, width := 0.0, 1.0
	for _, s := range strata {
		span := float64(slices.Max(s.scores)-slices.Min(s.scores))*float64(s.head) + 1
		cost += float64(len(s.scores))*float64(s.head)*span + width*span
		width += span
		if cost > work || len(s.scores) > 1000 {
			return d, false
		}
	}
	for _, s := range strata {
		d = convolve(d, s.distribution())
	}
	return d, true
}

func (s stratum) distribution() distribution {
	low := slices.Min(s.scores)
	span := (slices.Max(s.scores) - low) * s.head
	ways := make([][]float64, s.head+1) // by how many were taken, and their sum
	for i := range ways {
		ways[i] = make([]float64, span+1)
	}
	ways[0][0] = 1
	for n, score := range s.scores {
		score -= low
		for k := min(s.head, n+1); k > 0; k-- {
			for sum := span; sum >= score; sum-- {
				ways[k][sum] += ways[k-1][sum-score]
			}
		}
	}
	p := ways[s.head]
	total := 0.0
	for _, w := range p {
		total += w
	}
	for i := range p {
		p[i] /= total
	}
	return distribution{low * s.head, p}
}

// subsetSum is the distribution of the sum of those scores, all ≥ 0, whose sign comes out positive, each with probability ½.
func subsetSum(scores []int) (d distribution, ok bool) {
	total := 0
	for _, s := range scores {
		total += s
	}
	if float64(total)*float64(len(scores)) > work {
		return d, false
	}
	p := make([]float64, total+1)
	p[0] = 1
	for _, s := range scores {
		for sum := total; sum >= 0; sum-- {
			p[sum] /= 2
			if sum >= s {
				p[sum] += p[sum-s] / 2
			}
		}
	}
	return distribution{0, p}, true
}

func convolve(a, b distribution) distribution {
	p := make([]float64, len(a.p)+len(b.p)-1)
	for i, x := range a.p {
		if x == 0 {
			continue
		}
		for j, y := range b.p {
			p[i+j] += x * y
		}
	}
	return distribution{a.low + b.low, p}
}

// twoSided is twice the smaller tail from v on.
func (d distribution) twoSided(v int) float64 {
	var below, above float64
	for i, p := range d.p {
		if d.low+i <= v {
			below += p
		}
		if d.low+i >= v {
			above += p
		}
	}
	return min(1, 2*min(below, above))
}

// least is the smallest two-sided p that any outcome has.
func (d distribution) least() float64 {
	first := slices.IndexFunc(d.p, func(p float64) bool { return p > 0 })
	last := len(d.p) - 1
	for last > 0 && d.p[last] == 0 {
		last--
	}
	return min(1, 2*min(d.p[first], d.p[last]))
}

// normalSum is the mean and the variance of the sum of head's scores over all strata.
func normalSum(strata []stratum) (mean, variance float64) {
	for _, s := range strata {
		n, m := float64(len(s.scores)), float64(s.head)
		var sum, squares float64
		for _, v := range s.scores {
			sum += float64(v)
		}
		for _, v := range s.scores {
			squares += (float64(v) - sum/n) * (float64(v) - sum/n)
		}
		mean += m * sum / n
		variance += m * (n - m) / (n * (n - 1)) * squares
	}
	return mean, variance
}

// normalTwoSided is the p of a sum by its normal approximation, with a correction for its steps.
func normalTwoSided(v, mean, variance, correction float64) float64 {
	if variance <= 0 {
		return 1
	}
	z := max(0, math.Abs(v-mean)-correction) / math.Sqrt(variance)
	return math.Erfc(z / math.Sqrt2)
}
