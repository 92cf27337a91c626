// Package power says how many replicates are needed to see a difference, from a pilot or a past run.
package power

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"virtscope/analysis/stats"

	"gonum.org/v1/gonum/stat/distuv"
)

const (
	// rounds of each simulation: the standard error of a power of 0.8 is then 0.02.
	rounds = 400
	// most replicates that are tried.
	most = 200
	// leastPilot is the fewest trials from which a spread is estimated.
	leastPilot = 4
)

// A Question is what is to be seen.
type Question struct {
	Difference float64 // as a share of the base's median, such as 0.05
	Alpha      float64 // of one test: a family's, over the number of its tests
	Power      float64 // chance to find the difference if it is there, such as 0.8
	Seed       uint64
}

// An Answer is how many replicates a side are needed.
type Answer struct {
	Replicates int     // 0: not known, or more than 200
	Power      float64 // that so many were seen to have, of 400 simulated experiments
	Cautious   int     // the same if the spread is as large as its upper 90 % bound; 0 likewise
	Spread     float64 // of the pilot: its standard deviation over its median
	Upper      float64 // upper 90 % bound of the spread, by the chi-square distribution of a normal sample's variance
	Trials     int     // of the pilot
	Known      bool
	Why        string
}

// From simulates experiments as a pilot suggests: values are drawn from its own, smoothed (Silverman's rule, 1986, equation 3.31), the
// head's are longer by the difference, and the test that decides a comparison is made of each. The least number of replicates from which
// on the power is reached is found by doubling and halving.
//
// A pilot of which a value is censored, that has fewer than 4 known values, or a median of 0, tells nothing.
func From(pilot stats.Sample, q Question) Answer {
	var values []float64
	for _, d := range pilot.Data() {
		switch {
		case !d.Known:
			continue
		case d.Censored:
			return Answer{Why: fmt.Sprintf("trial %s is censored: the spread is not known", d.Trial)}
		}
		values = append(values, d.Value)
	}
	a := Answer{Trials: len(values)}
	if len(values) < leastPilot {
		a.Why = fmt.Sprintf("the pilot has %d values: %d are needed to estimate a spread", len(values), leastPilot)
		return a
	}
	s := stats.Summarise(pilot, 0.95)
	middle := s.Median.Value
	switch {
	case middle == 0:
		a.Why = "its median is 0: a share of it is nothing"
		return a
	case s.SD == 0:
		a.Why = "its values are all equal: it has no spread to plan with"
		return a
	}
	a.Known = true
	a.Spread = s.SD / math.Abs(middle)
	df := float64(len(values) - 1)
	a.Upper = a.Spread * math.Sqrt(df/distuv.ChiSquared{K: df}.Quantile(0.1))
	shape := make([]float64, len(values))
	for i, v := range values {
		shape[i] = (v - middle) / math.Abs(middle)
	}
	a.Replicates, a.Power = search(shape, 1, q)
	a.Cautious, _ = search(shape, a.Upper/a.Spread, q)
	return a
}

// search is the least n a side whose simulated power is enough, or 0.
func search(shape []float64, widen float64, q Question) (n int, power float64) {
	enough := func(n int) (float64, bool) {
		p := simulate(shape, widen, n, q)
		return p, p >= q.Power
	}
	high := 3
	power, ok := enough(high)
	low := 2
	for !ok {
		if high == most {
			return 0, 0
		}
		low, high = high, min(2*high, most)
		power, ok = enough(high)
	}
	for high-low > 1 {
		middle := (low + high) / 2
		if p, ok := enough(middle); ok {
			high, power = middle, p
		} else {
			low = middle
		}
	}
	return high, power
}

// exactTo is up to how many a side the test is made exactly; beyond, the normal curve differs by less than the simulation does.
const exactTo = 8

// simulate is the share of experiments with n a side that find the difference.
func simulate(shape []float64, widen float64, n int, q Question) float64 {
	r := rand.New(rand.NewPCG(q.Seed, uint64(n))) //nolint:gosec // it must be repeatable
	smooth := bandwidth(shape)
	draw := func(more float64) []float64 {
		values := make([]float64, n)
		for i := range values {
			values[i] = (1 + widen*(shape[r.IntN(len(shape))]+smooth*r.NormFloat64())) * (1 + more)
		}
		return values
	}
	found := 0
	for range rounds {
		if p(draw(0), draw(q.Difference)) < q.Alpha {
			found++
		}
	}
	return float64(found) / rounds
}

// p is Mann and Whitney's, of values of which no two are equal: exact, or by the normal curve with its step corrected.
func p(base, head []float64) float64 {
	if len(base) <= exactTo {
		return stats.Decide(named("b", base), named("h", head), stats.How{Confidence: 0.95}).P
	}
	slices.Sort(base)
	var u float64
	for _, v := range head {
		at, _ := slices.BinarySearch(base, v)
		u += float64(at)
	}
	m, n := float64(len(base)), float64(len(head))
	far := max(0, math.Abs(u-m*n/2)-0.5)
	return 2 * distuv.UnitNormal.Survival(far/math.Sqrt(m*n*(m+n+1)/12))
}

func named(prefix string, values []float64) stats.Sample {
	data := make([]stats.Datum, len(values))
	for i, v := range values {
		data[i] = stats.Datum{Trial: fmt.Sprint(prefix, i), Value: v, Known: true}
	}
	s, err := stats.NewSample(data)
	if err != nil {
		return stats.Sample{} // names are distinct and values finite
	}
	return s
}

func bandwidth(shape []float64) float64 {
	sorted := slices.Sorted(slices.Values(shape))
	var mean, sum float64
	for _, v := range shape {
		mean += v / float64(len(shape))
	}
	for _, v := range shape {
		sum += (v - mean) * (v - mean)
	}
	spread := math.Sqrt(sum / float64(len(shape)-1))
	if quartiles := (stats.Quantile(sorted, 0.75) - stats.Quantile(sorted, 0.25)) / 1.34; quartiles > 0 {
		spread = min(spread, quartiles)
	}
	return 0.9 * spread * math.Pow(float64(len(shape)), -0.2)
}
