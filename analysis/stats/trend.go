package stats

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// A Trend is whether values rise or fall with the place in the run at which their trials were executed.
type Trend struct {
	Test Test
	// Slope is the change from one place to the next as a share of the sample's median; Known only where a pair of exact values has one.
	Slope Effect
}

// ExecutionTrend tests samples, of one treatment each, for a common trend over Datum.Order: the seasonal Kendall test (Hirsch, Slack
// and Smith, Water Resources Research 18, 1982, equations 4 to 9), normal approximation with corrections for ties and continuity.
// Data of different samples are never compared. Two data of which a bound leaves the order open count as a tie. The slope is their
// estimator too: the median over all pairs within samples (Theil and Sen's).
func ExecutionTrend(samples []Sample) Trend {
	t := Trend{Test: Test{Name: "seasonal Kendall"}, Slope: Effect{Why: "no two trials of one treatment have exact values"}}
	var s, variance float64
	var slopes []float64
	pairs := 0
	for _, sample := range samples {
		data := slices.DeleteFunc(sample.Data(), func(d Datum) bool { return !d.Known })
		slices.SortStableFunc(data, func(a, b Datum) int { return a.Order - b.Order })
		median := medianValue(data)
		for i, a := range data {
			for _, b := range data[i+1:] {
				if a.Order == b.Order {
					continue
				}
				pairs++
				s += rises(a, b)
				if !a.Censored && !b.Censored && median != 0 {
					slopes = append(slopes, (b.Value-a.Value)/math.Abs(median)/float64(b.Order-a.Order))
				}
			}
		}
		variance += kendallVariance(data)
	}
	if len(slopes) > 0 {
		slices.Sort(slopes)
		t.Slope = Effect{Value: Quantile(slopes, 0.5), Known: true}
	}
	switch {
	case pairs == 0:
		t.Test.Why = "no treatment has two trials with a value"
		return t
	case variance <= 0:
		t.Test.Why = "all values of each treatment are the same"
		return t
	}
	t.Test.Statistic, t.Test.Known = s, true
	z := max(0, math.Abs(s)-1) / math.Sqrt(variance)
	t.Test.P = min(1, 2*distuv.UnitNormal.Survival(z))
	t.Test.Why = fmt.Sprintf("normal approximation, %d pairs within treatments", pairs)
	return t
}

// rises is 1 if b is larger than a, −1 if it is smaller, and 0 if they are equal or it cannot be told.
func rises(a, b Datum) float64 {
	switch {
	case b.Value > a.Value && !a.Censored:
		return 1
	case b.Value == a.Value && b.Censored && !a.Censored:
		return 1 // beyond a's exact value, or at it
	case a.Value > b.Value && !b.Censored:
		return -1
	case a.Value == b.Value && a.Censored && !b.Censored:
		return -1
	}
	return 0
}

// kendallVariance is that of the statistic under no trend. Ties make it smaller; pairs that cannot be told are not taken for ties
// here, which only makes the test slower to find a trend.
func kendallVariance(data []Datum) float64 {
	n := float64(len(data))
	v := n * (n - 1) * (2*n + 5)
	count := map[float64]float64{}
	for _, d := range data {
		if !d.Censored {
			count[d.Value]++
		}
	}
	for _, t := range count {
		v -= t * (t - 1) * (2*t + 5)
	}
	return v / 18
}

func medianValue(data []Datum) float64 {
	var list []float64
	for _, d := range data {
		list = append(list, d.Value)
	}
	slices.Sort(list)
	return Quantile(list, 0.5)
}
