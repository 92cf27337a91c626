package stats

import (
	"fmt"
	"math"
	"slices"
)

// A MedianSequence gives intervals of a median after each of many data that hold the median all together with its confidence, so that one may look after
// every datum and stop whenever the interval pleases. Intervals of a fixed number of data do not have that: one that stops when such an interval is narrow
// stops too often where it is narrow by chance.
//
// How many of n data are not above the median of a continuous distribution is a walk of n fair coins. An interval between the l-th smallest and the l-th
// largest misses the median when that walk is below l or above n−l. The chance that it is so at any look is computed exactly, by recursion over the walk
// (Armitage, McPherson and Rowe, JRSS A 132, 1969), and the looks share one nominal level (Pocock, Biometrika 64, 1977): the largest at which that chance is
// within what the confidence leaves. That an interval from order statistics can hold at all looks is of Darling and Robbins (PNAS 58, 1967). Data that tie
// make it hold more often.
type MedianSequence struct {
	Confidence float64 // asked for, in (0, 1)
	Real       float64 // that the intervals of all looks have together, at least Confidence
	First      int     // data after which the first look is
	Last       int     // data after which the last is
	rank       []int   // by number of data: l; 0 where there are too few for any interval
}

// NewMedianSequence plans looks after first data, and after each more up to last; 1 ≤ first ≤ last ≤ 10000.
func NewMedianSequence(first, last int, confidence float64) (MedianSequence, error) {
	m := MedianSequence{Confidence: confidence, First: first, Last: last}
	if first < 1 || last < first || last > 10_000 || !(confidence > 0 && confidence < 1) {
		return m, fmt.Errorf("plan looks after %d to %d data at confidence %v: want 1 ≤ first ≤ last ≤ 10000 and a confidence between 0 and 1", first, last, confidence)
	}
	// The walk's chances change only at the levels that some number of data has: bisect over these.
	var levels []float64
	for n := first; n <= last; n += 1 + (last-first)/200 {
		for l := 1; 2*l <= n; l++ {
			p := 2 * binomialBelow(n, l)
			if p > 1-confidence {
				break
			}
			if p > 0 {
				levels = append(levels, p)
			}
		}
	}
	slices.Sort(levels)
	low, high := -1, len(levels) // levels[low] is allowed, levels[high] is not
	for high-low > 1 {
		mid := (low + high) / 2
		if crossing(m.ranks(levels[mid]), first) <= 1-confidence {
			low = mid
		} else {
			high = mid
		}
	}
	m.rank = make([]int, last+1)
	if low >= 0 {
		m.rank = m.ranks(levels[low])
	}
	m.Real = 1 - crossing(m.rank, first)
	return m, nil
}

// ranks are, by number of data, the largest l whose interval alone misses the median with at most the chance level.
func (m MedianSequence) ranks(level float64) []int {
	list := make([]int, m.Last+1)
	l := 0
	for n := m.First; n <= m.Last; n++ {
		for 2*(l+1) <= n && 2*binomialBelow(n, l+1) <= level*(1+1e-12) {
			l++
		}
		list[n] = l
	}
	return list
}

// binomialBelow is the chance of fewer than l heads of n fair coins.
func binomialBelow(n, l int) float64 {
	if l <= 0 {
		return 0
	}
	total, _ := math.Lgamma(float64(n + 1))
	a, _ := math.Lgamma(float64(l))
	b, _ := math.Lgamma(float64(n - l + 2))
	term := math.Exp(total - a - b - float64(n)*math.Ln2) // of l−1 heads
	sum := 0.0
	for k := l - 1; k >= 0 && term > sum*1e-17; k-- {
		sum += term
		term *= float64(k) / float64(n-k+1)
	}
	return sum
}

// crossing is the chance that a walk of fair coins is, at any look from the first on, below the rank or above its mirror.
func crossing(rank []int, first int) float64 {
	at := []float64{1} // the chance of so many heads, without having crossed
	crossed := 0.0
	for n := 1; n < len(rank); n++ {
		next := make([]float64, n+1)
		for heads, p := range at {
			next[heads] += p / 2
			next[heads+1] += p / 2
		}
		for l := 0; n >= first && l < rank[n]; l++ {
			crossed += next[l] + next[n-l]
			next[l], next[n-l] = 0, 0
		}
		at = next
	}
	return crossed
}

// Interval is that of the look after the sample's known data. A censored datum may be anything from its value on.
func (m MedianSequence) Interval(sample Sample) Interval {
	none := func(format string, args ...any) Interval {
		return Interval{Low: Estimate{Value: math.NaN()}, High: Estimate{Value: math.NaN()}, Why: fmt.Sprintf(format, args...)}
	}
	var low, high []float64
	for _, d := range sample.data {
		switch {
		case !d.Known:
			continue
		case d.Censored:
			high = append(high, math.Inf(1))
		default:
			high = append(high, d.Value)
		}
		low = append(low, d.Value)
	}
	n := len(low)
	switch {
	case n < m.First:
		return none("the first look is after %d trials; there are %d", m.First, n)
	case n > m.Last:
		return none("looks were planned up to %d trials; there are %d", m.Last, n)
	case m.rank[n] == 0:
		return none("%d trials are too few for an interval that holds at all looks", n)
	}
	slices.Sort(low)
	slices.Sort(high)
	l := m.rank[n]
	i := Interval{Low: Estimate{Value: low[l-1]}, High: estimate(low[n-l], high[n-l]), Confidence: m.Real, Known: true}
	if i.High.AtLeast {
		i.Why = "too many trials are censored: nothing bounds it from above"
	}
	return i
}

// Earliest is the number of data from which on there is an interval; 0 if even the last look has none.
func (m MedianSequence) Earliest() int {
	for n := m.First; n <= m.Last; n++ {
		if m.rank[n] > 0 {
			return n
		}
	}
	return 0
}

// A Look is what is known of a median after so many data.
type Look struct {
	N        int // known data
	Median   Estimate
	Interval Interval
	Half     float64 // half the interval's length as a share of the median; NaN if that is not known, or the median is 0
	Enough   bool    // the interval is narrow
	Why      string  // why it is not known how narrow it is
}

// Look looks at a sample; the interval is narrow if half its length is at most the share within of the median.
func (m MedianSequence) Look(sample Sample, within float64) Look {
	s := Summarise(sample, m.Confidence)
	l := Look{N: s.Known, Median: s.Median, Interval: m.Interval(sample), Half: math.NaN()}
	switch {
	case !l.Interval.Known || l.Interval.High.AtLeast:
		l.Why = l.Interval.Why
		return l
	case l.Median.AtLeast:
		l.Why = "the median is censored"
		return l
	}
	half := (l.Interval.High.Value - l.Interval.Low.Value) / 2
	l.Enough = half <= within*math.Abs(l.Median.Value)
	if l.Median.Value == 0 {
		l.Why = "the median is 0"
		return l
	}
	l.Half = half / math.Abs(l.Median.Value)
	return l
}
