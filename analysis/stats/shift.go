package stats

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"virtscope/analysis/quantity"

	"gonum.org/v1/gonum/stat/distuv"
)

// A gap is by how much the head of some data is above the base: between low and high, which differ where data are censored.
type gap struct {
	low, high float64
	weight    int
}

// shift is Hodges and Lehmann's: the median of the gaps between the sides (of pairs: of the averages of two gaps), with the
// interval that the rank test does not reject (Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, 3rd ed., 3.3 and
// 4.3; of strata by van Elteren's weights). With ties the closed interval has at least its confidence (Noether, JASA 62, 1967).
// Censored data are open upwards; the interval holds whatever they are.
func shift(a arrangement, confidence float64) Effect {
	return hodgesLehmann(a, confidence, func(v float64) float64 { return v })
}

// hodgesLehmann gives its figures, and those that it names, as unit has them.
func hodgesLehmann(a arrangement, confidence float64, unit func(float64) float64) Effect {
	if a.why != "" {
		return Effect{Why: a.why}
	}
	if !(confidence > 0 && confidence < 1) {
		return Effect{Why: fmt.Sprintf("confidence %v is not between 0 and 1", confidence)}
	}
	if a.paired {
		n := len(a.blocks)
		e := invert(walsh(a), signedRankTail(n), confidence, unit)
		if e.Confidence == 0 {
			e.Why = fmt.Sprintf("n = %d pairs are too few: %d are needed for %g %%", n, needed(confidence), confidence*100)
		}
		return e.noted(a.note)
	}
	e := invert(gaps(a), rankSumTail(a), confidence, unit)
	if e.Confidence == 0 {
		base, head := a.count()
		e.Why = fmt.Sprintf("n = %d and %d are too few: %d on each side are needed for %g %%", base, head, neededEach(confidence), confidence*100)
		if len(a.blocks) > 1 {
			e.Why = fmt.Sprintf("n = %d and %d in %d blocks are too few for %g %%: replicate more", base, head, len(a.blocks), confidence*100)
		}
	}
	return e.noted(a.note)
}

// ratio is the shift of the logarithms.
func ratio(a arrangement, confidence float64) Effect {
	for _, b := range a.blocks {
		for _, d := range append(slices.Clone(b.base), b.head...) {
			if d.Value <= 0 {
				return Effect{Why: fmt.Sprintf("trial %s has %v: a ratio needs values above 0", d.Trial, d.Value)}
			}
		}
	}
	return hodgesLehmann(a.mapped(math.Log), confidence, math.Exp)
}

func (e Effect) noted(note string) Effect {
	e.Why = join(e.Why, note)
	if !e.Known {
		return Effect{Why: e.Why}
	}
	return e
}

func gaps(a arrangement) []gap {
	weights := elterenWeights(a.blocks)
	var list []gap
	for i, b := range a.blocks {
		for _, x := range b.base {
			for _, y := range b.head {
				list = append(list, gap{y.Value - x.high(), y.high() - x.Value, weights[i]})
			}
		}
	}
	return list
}

func walsh(a arrangement) []gap {
	var each, list []gap
	for _, b := range a.blocks {
		x, y := b.base[0], b.head[0]
		each = append(each, gap{y.Value - x.high(), y.high() - x.Value, 1})
	}
	for i, x := range each {
		for _, y := range each[:i+1] {
			list = append(list, gap{x.low + (y.low-x.low)/2, x.high + (y.high-x.high)/2, 1})
			if last := &list[len(list)-1]; math.IsInf(x.low, 0) || math.IsInf(y.low, 0) {
				last.low = math.Inf(-1)
			}
			if last := &list[len(list)-1]; math.IsInf(x.high, 0) || math.IsInf(y.high, 0) {
				last.high = math.Inf(1)
			}
		}
	}
	return list
}

// A tail gives the largest count that is reached by chance with a probability of at most p, and that probability; −1 if none is.
type tail func(p float64) (count int, reached float64)

func invert(list []gap, within tail, confidence float64, unit func(float64) float64) Effect {
	count, reached := within((1 - confidence) / 2)
	if count < 0 {
		return Effect{}
	}
	lows, highs := slices.Clone(list), slices.Clone(list)
	slices.SortFunc(lows, func(a, b gap) int { return cmp.Compare(a.low, b.low) })
	slices.SortFunc(highs, func(a, b gap) int { return cmp.Compare(a.high, b.high) })
	total := 0
	for _, g := range list {
		total += g.weight
	}
	e := Effect{Confidence: 1 - 2*reached}
	bottom, top := lows[place(lows, count)].low, highs[place(highs, total-1-count)].high
	// The median, of an even weight the middle of two.
	low := middle(lows[place(lows, (total-1)/2)].low, lows[place(lows, total/2)].low)
	high := middle(highs[place(highs, (total-1)/2)].high, highs[place(highs, total/2)].high)
	e.Low, e.High, e.Value = unit(bottom), unit(top), unit(low)
	switch {
	case math.IsInf(top, 1) && math.IsInf(bottom, -1):
		e.Why = "too many values are censored: nothing bounds it"
	case math.IsInf(top, 1):
		e.Why = fmt.Sprintf("too many values are censored: nothing bounds it from above; it is at least %s", quantity.Digits(e.Low, 1, 4, quantity.Down))
	case math.IsInf(bottom, -1):
		e.Why = fmt.Sprintf("too many values are censored: nothing bounds it from below; it is at most %s", quantity.Digits(e.High, 1, 4, quantity.Up))
	case low != high:
		e.Why = fmt.Sprintf("censored values leave it open: it is in [%s, %s]", quantity.Digits(e.Low, 1, 4, quantity.Down), quantity.Digits(e.High, 1, 4, quantity.Up))
	case math.IsInf(e.Value, 0) || math.IsInf(e.Low, 0) || math.IsInf(e.High, 0):
		e.Why = "the arithmetic overflowed"
	default:
		e.Known = true
	}
	return e
}

// place is of the gap in which the weights, added up in order, come above w.
func place(list []gap, w int) int {
	sum := 0
	for i, g := range list {
		if sum += g.weight; sum > w {
			return i
		}
	}
	return len(list) - 1
}

func middle(a, b float64) float64 {
	if a == b {
		return a
	}
	if math.IsInf(a, 0) || math.IsInf(b, 0) {
		return a + b
	}
	return a + (b-a)/2
}

// rankSumTail is of the weighted sum of U over blocks, without ties.
func rankSumTail(a arrangement) tail {
	weights := elterenWeights(a.blocks)
	var strata []stratum
	offset := 0
	for i, b := range a.blocks {
		s := stratum{head: len(b.head)}
		for rank := range b.size() {
			s.scores = append(s.scores, weights[i]*(rank+1))
		}
		offset += weights[i] * s.head * (s.head + 1) / 2
		strata = append(strata, s)
	}
	if d, ok := exactSum(strata); ok {
		d.low -= offset
		return d.within
	}
	mean, variance := normalSum(strata)
	return normalTail(mean-float64(offset), variance, float64(slices.Min(weights)))
}

func signedRankTail(n int) tail {
	var ranks []int
	for i := range n {
		ranks = append(ranks, i+1)
	}
	if d, ok := subsetSum(ranks); ok {
		return d.within
	}
	m := float64(n)
	return normalTail(m*(m+1)/4, m*(m+1)*(2*m+1)/24, 1)
}

func (d distribution) within(p float64) (count int, reached float64) {
	count = -1
	sum := 0.0
	for i, q := range d.p {
		if sum += q; sum > p*(1+1e-12) {
			break
		}
		count, reached = d.low+i, sum
	}
	return count, reached
}

func normalTail(mean, variance, step float64) tail {
	return func(p float64) (int, float64) {
		sd := math.Sqrt(variance)
		count := math.Floor(mean + distuv.UnitNormal.Quantile(p)*sd - step/2)
		if count < 0 {
			return -1, 0
		}
		return int(count), distuv.UnitNormal.CDF((count + step/2 - mean) / sd)
	}
}

// neededEach is the least n of both sides whose most extreme order is rare enough: 2/C(2n, n) ≤ 1 − confidence.
func neededEach(confidence float64) int {
	ways := 2.0
	for n := 1; ; n++ {
		if 2/ways <= (1-confidence)*(1+1e-12) {
			return n
		}
		ways *= float64(2*n+1) * 2 / float64(n+1)
	}
}
