package stats

import (
	"fmt"
	"math"
)

// A Sequence gives intervals of a median that may be looked at after every trial: with at least the confidence asked for, all of
// them hold the median, so that the last one does too, whenever the trials were stopped and why. It does not change.
//
// Each look takes order statistics, as Summary.MedianInterval does, but farther out. How many of n values are below the median is a
// walk of fair coins whatever the distribution; the k-th smallest and largest value miss the median where fewer than k of these
// coins, or more than n−k, are heads. So the chance that any look misses is that a walk leaves a band, which is computed here
// exactly, look by look, and held to what may be spent until then: repeated confidence intervals (Jennison and Turnbull, Interim
// Analyses: The Repeated Confidence Interval Approach, JRSS B 51(3), 1989), with the spending function of Pocock's type,
// α·ln(1 + (e−1)·n/N) (Lan and DeMets, Discrete Sequential Boundaries for Clinical Trials, Biometrika 70(3), 1983). The reduction to coins is that of Howard and Ramdas for a fixed quantile (Sequential Estimation of Quantiles with
// Applications to A/B Testing and Best-Arm Identification, Bernoulli 28(3), 2022), whose bounds have no last look and are
// therefore wider. With values that tie, the intervals, which include their ends, miss less often: a tie with the
// median counts for both sides.
//
// It is assumed that trials are independent and of one distribution, and that whether one has the figure at all says nothing of it.
type Sequence struct {
	first, last int
	rank        []int // by n: the k of its look; 0 where none bounds anything yet
	spent       float64
	confidence  float64
	wrong       string
}

// NewSequence plans looks after each trial from the first to the last, of which there may be no more.
func NewSequence(confidence float64, first, last int) Sequence {
	s := Sequence{first: max(1, first), last: last, confidence: confidence}
	switch {
	case !(confidence > 0 && confidence < 1):
		s.wrong = fmt.Sprintf("confidence %v is not between 0 and 1", confidence)
		return s
	case last < s.first:
		s.wrong = fmt.Sprintf("the last look, after %d trials, is before the first, after %d", last, s.first)
		return s
	}
	s.plan()
	return s
}

// plan spends what may be spent.
func (s *Sequence) plan() {
	const rounding = 1e-12
	s.rank = make([]int, s.last+1)
	inside := make([]float64, s.last+2) // chance of so many heads without a miss so far
	inside[0] = 1
	k := 0
	for n := 1; n <= s.last; n++ {
		for heads := n; heads > 0; heads-- {
			inside[heads] = (inside[heads] + inside[heads-1]) / 2
		}
		inside[0] /= 2
		if n < s.first {
			continue
		}
		allowed := (1 - s.confidence) * math.Log1p((math.E-1)*float64(n)/float64(s.last))
		// A walk inside the band of the last look is inside that of the same k: the misses of k+1 are at its edges.
		for 2*(k+1) <= n {
			more := inside[k] + inside[n-k]
			if s.spent+more > allowed*(1+rounding) {
				break
			}
			s.spent += more
			inside[k], inside[n-k] = 0, 0
			k++
		}
		s.rank[n] = k
	}
}

// Median is the interval after the trials of the sample whose value is known. A censored value may be anything from its value on.
func (s Sequence) Median(sample Sample) Interval {
	var low, high []float64
	for _, d := range known(sample) { // sorted by value
		low = append(low, d.Value)
		if !d.Censored {
			high = append(high, d.Value)
		}
	}
	for len(high) < len(low) {
		high = append(high, math.Inf(1))
	}
	n := len(low)
	switch {
	case s.wrong != "":
		return Interval{Why: s.wrong}
	case n > s.last:
		return Interval{Why: fmt.Sprintf("n = %d: looks were planned up to %d", n, s.last)}
	case n < s.first:
		return Interval{Why: fmt.Sprintf("n = %d: the first look is after %d", n, s.first)}
	case s.Rank(n) == 0:
		return Interval{Why: fmt.Sprintf("n = %d: the first interval is possible after %s", n, s.earliest())}
	}
	k := s.rank[n]
	return Interval{
		Low: estimate(low[k-1], high[k-1]), High: estimate(low[n-k], high[n-k]),
		Confidence: 1 - s.spent, Known: true,
	}
}

// Rank is k of the look after n trials: the interval is from the k-th smallest to the k-th largest value; 0 if there is none.
func (s Sequence) Rank(n int) int {
	if n < 0 || n >= len(s.rank) {
		return 0
	}
	return s.rank[n]
}

// Spent is the chance that any of the looks misses the median of a continuous distribution: at most 1 − confidence.
func (s Sequence) Spent() float64 { return s.spent }

func (s Sequence) earliest() string {
	for n, k := range s.rank {
		if k > 0 {
			return fmt.Sprint(n)
		}
	}
	return fmt.Sprintf("more than %d trials", s.last)
}
