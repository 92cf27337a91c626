package stats

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// A WarmUp is whether the first trials of a run differ from those after them.
type WarmUp struct {
	Test  Test
	First int // how many trials stand out at the begin of the run, those of all treatments; meaningless unless Test.Known
	// Change is by how much the median of the first lies above that of the rest, as a share of their treatments' medians.
	Change Effect
}

// warmUpFewest is of how many data a warm-up can be told: of seven, no division has a p below 0.05 (2 of the 35 ways to choose three).
const warmUpFewest = 8

// warmUpDraws keeps the error of p at 0.05 below 0.005.
const warmUpDraws = 1999

// DetectWarmUp looks for a place in the first half of the run before which values differ from those after it: the maximally selected rank
// statistic (Lausen and Schumacher, Biometrics 48, 1992, section 2), whose distribution is that over permutations of the data within
// their treatments (Hothorn and Lausen, Computational Statistics & Data Analysis 43, 2003), drawn warmUpDraws times by seed: the chance
// of a false alarm is at most the p that is asked for, with any number of trials and any distribution.
//
// Samples are of one treatment each; values are ranked as shares of their treatments' medians. A censored datum is taken at its bound.
// A steady rise or fall over the run is found, too: ExecutionTrend tells which it is more like.
func DetectWarmUp(samples []Sample, seed uint64) WarmUp {
	w := WarmUp{Test: Test{Name: "maximally selected rank"}, Change: Effect{Why: "no warm-up was looked for"}}
	run := newExecuted(samples)
	n := len(run.rank)
	switch {
	case n < warmUpFewest:
		w.Test.Why = fmt.Sprintf("n = %d: want %d trials or more", n, warmUpFewest)
		return w
	case !run.varies():
		w.Test.Why = "all values of each treatment are the same"
		return w
	}
	most, first := run.selected(run.rank)
	if first == 0 {
		w.Test.Why = "the values of the first half are all the same as those of their treatment in it: nothing can be told apart"
		return w
	}
	reached := 1
	random := rand.New(rand.NewPCG(seed, 0x3a9b))
	rank := slices.Clone(run.rank)
	for range warmUpDraws {
		run.permute(rank, random)
		if z, _ := run.selected(rank); z >= most-1e-9 {
			reached++
		}
	}
	w.First = first
	w.Test.Statistic, w.Test.Known = most, true
	w.Test.P = float64(reached) / float64(warmUpDraws+1)
	w.Test.Why = fmt.Sprintf("%d permutations within treatments", warmUpDraws)
	w.Change = run.change(first)
	return w
}

// An executed is the data of a run in the order of execution.
type executed struct {
	treatment []int
	places    [][]int   // of each treatment
	share     []float64 // by how much the value lies above its treatment's median
	rank      []float64
}

func newExecuted(samples []Sample) executed {
	type datum struct {
		order, treatment int
		share            float64
	}
	var list []datum
	for t, s := range samples {
		data := slices.DeleteFunc(s.Data(), func(d Datum) bool { return !d.Known })
		if len(data) < 2 {
			continue // alone in its treatment, it can be held against nothing
		}
		median := medianValue(data)
		scale := math.Abs(median)
		if scale == 0 {
			scale = 1
		}
		for _, d := range data {
			list = append(list, datum{d.Order, t, (d.Value - median) / scale})
		}
	}
	slices.SortStableFunc(list, func(a, b datum) int { return cmp.Compare(a.order, b.order) })
	e := executed{places: make([][]int, len(samples))}
	for i, d := range list {
		e.treatment = append(e.treatment, d.treatment)
		e.share = append(e.share, d.share)
		e.places[d.treatment] = append(e.places[d.treatment], i)
	}
	e.rank = midranks(e.share)
	return e
}

// midranks are the ranks of values, from 1; equal ones share the mean of theirs.
func midranks(values []float64) []float64 {
	at := make([]int, len(values))
	for i := range at {
		at[i] = i
	}
	slices.SortFunc(at, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	ranks := make([]float64, len(values))
	for i := 0; i < len(at); {
		j := i
		for j < len(at) && values[at[j]] == values[at[i]] {
			j++
		}
		for _, k := range at[i:j] {
			ranks[k] = float64(i+j+1) / 2
		}
		i = j
	}
	return ranks
}

func (e executed) varies() bool {
	for _, places := range e.places {
		for _, i := range places {
			if e.rank[i] != e.rank[places[0]] {
				return true
			}
		}
	}
	return false
}

// permute deals the ranks of each treatment out to its places anew.
func (e executed) permute(rank []float64, random *rand.Rand) {
	for _, places := range e.places {
		for i := len(places) - 1; i > 0; i-- {
			j := random.IntN(i + 1)
			a, b := places[i], places[j]
			rank[a], rank[b] = rank[b], rank[a]
		}
	}
}

// selected is the largest standardised sum of the first ranks over all places in the first half, and how many those are. Mean and variance
// are those of sampling without replacement within treatments.
func (e executed) selected(rank []float64) (most float64, first int) {
	means, spreads := e.moments()
	taken := make([]float64, len(e.places)) // by treatment
	var sum, variance float64
	for i := range len(rank) / 2 {
		t := e.treatment[i]
		n := float64(len(e.places[t]))
		sum += rank[i] - means[t]
		variance += spreads[t] * ((taken[t]+1)*(n-taken[t]-1) - taken[t]*(n-taken[t])) / (n - 1)
		taken[t]++
		if variance <= 1e-9 {
			continue
		}
		if z := math.Abs(sum) / math.Sqrt(variance); z > most+1e-9 {
			most, first = z, i+1
		}
	}
	return most, first
}

// moments are the mean and the variance of each treatment's ranks.
func (e executed) moments() (means, variances []float64) {
	means, variances = make([]float64, len(e.places)), make([]float64, len(e.places))
	for t, places := range e.places {
		n := float64(len(places))
		for _, i := range places {
			means[t] += e.rank[i] / n
		}
		for _, i := range places {
			variances[t] += (e.rank[i] - means[t]) * (e.rank[i] - means[t]) / n
		}
	}
	return means, variances
}

func (e executed) change(first int) Effect {
	a, b := slices.Sorted(slices.Values(e.share[:first])), slices.Sorted(slices.Values(e.share[first:]))
	return Effect{Value: Quantile(a, 0.5) - Quantile(b, 0.5), Known: true}
}
