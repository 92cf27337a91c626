package validity

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"virtscope/analysis/dataset"
	"virtscope/analysis/stats"
)

// fewestAlike is of how many trials a treatment must be for one to stand out: of two, nobody can say which one is unusual.
const fewestAlike = 3

// madScale makes the median absolute deviation that of a normal distribution's standard deviation: 1/Φ⁻¹(3/4).
const madScale = 1.4826022185056018

// outliers are the trials of a set whose noise stands out from their treatment's others, with why, by place in the set.
//
// What a treatment does is part of what it loads the machine with: each trial is held against its own treatment's median. The spread is one
// for all: the median absolute deviation of all residuals from 0 (Leys et al., Journal of Experimental Social Psychology 49, 2013), as a
// treatment alone has too few trials for one. Of a treatment with an odd number of trials one residual is 0 by construction, and not
// counted. Where most residuals are 0 the least excess alone decides.
func (r rule) outliers(set dataset.Set, l Limits) map[int]string {
	byTreatment := map[string][]int{}
	for i, t := range set.Trials {
		if m, ok := t.Metric(r.metric); ok && m.Known && t.Counted() {
			byTreatment[t.Treatment] = append(byTreatment[t.Treatment], i)
		}
	}
	excess, medians := map[int]float64{}, map[int]float64{}
	var spread []float64
	for _, places := range byTreatment {
		if len(places) < fewestAlike {
			continue
		}
		values := make([]float64, len(places))
		for j, i := range places {
			values[j] = r.value(set.Trials[i])
		}
		median := stats.Quantile(slices.Sorted(slices.Values(values)), 0.5)
		own := make([]float64, len(places))
		for j, i := range places {
			excess[i], medians[i] = values[j]-median, median
			own[j] = math.Abs(values[j] - median)
		}
		slices.Sort(own)
		spread = append(spread, own[len(own)%2:]...)
	}
	slices.Sort(spread)
	scale := 0.0
	if len(spread) > 0 {
		scale = madScale * stats.Quantile(spread, 0.5)
	}
	found := map[int]string{}
	for _, i := range slices.Sorted(maps.Keys(excess)) {
		value, least := r.value(set.Trials[i]), r.least
		by := excess[i]
		if r.below {
			by, least = -by, least*medians[i]
		}
		if by < least || by <= l.Outliers*scale {
			continue
		}
		if low, high := r.bounds(set.Trials[i]); r.below && high > medians[i]-least || !r.below && low < medians[i]+least {
			continue // what it measures is too coarse to tell
		}
		found[i] = fmt.Sprintf("%s %s; the treatment's median is %s", r.show(value), r.what, r.show(medians[i]))
	}
	return found
}

func (r rule) value(t dataset.Trial) float64 {
	m, _ := t.Metric(r.metric)
	return m.Value
}

func (r rule) bounds(t dataset.Trial) (low, high float64) {
	m, _ := t.Metric(r.metric)
	return m.Low, m.High
}
