package convergence

import (
	"testing"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// race makes rounds of a second each from what was dirtied and sent, in MiB.
func race(pairs ...[2]float64) []Round {
	var list []Round
	for i, p := range pairs {
		r := Round{N: i + 1, Duration: quantity.Exactly(1, results.Seconds)}
		r.Dirtied = quantity.Exactly(p[0]*(1<<20), results.Bytes)
		r.LinkRate = quantity.Exactly(p[1]*(1<<20), results.BytesPerSecond)
		r.DirtyRate = quantity.Rate(r.Dirtied, r.Duration, results.BytesPerSecond)
		r.Ratio = quantity.Rate(r.DirtyRate, r.LinkRate, results.One)
		list = append(list, r)
	}
	return list
}

// TestTrend names the dirty rate where the rounds hardly shrink, whatever the last one alone says.
func TestTrend(t *testing.T) {
	for _, c := range []struct {
		name   string
		rounds []Round
		holds  bool
	}{
		{"as fast as the link, the last round a little slower", race([2]float64{9, 40}, [2]float64{30, 40}, [2]float64{39, 40}, [2]float64{41, 40}, [2]float64{42, 40}, [2]float64{38, 40}), true},
		{"shrinking", race([2]float64{40, 40}, [2]float64{41, 40}, [2]float64{39, 40}, [2]float64{20, 40}, [2]float64{18, 40}, [2]float64{15, 40}), false},
		{"few rounds: the last one decides", race([2]float64{10, 40}, [2]float64{45, 40}), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := Input{Rounds: make([]Measured, len(c.rounds))}
			if f := in.dirty(c.rounds); f.Holds != c.holds || f.Text == "" {
				t.Errorf("%+v", f)
			}
		})
	}
	unknown := race([2]float64{40, 40})
	unknown[0].Ratio = quantity.Unknown(results.One, "no reason")
	if _, ok := trendOf(unknown); ok {
		t.Error("a trend of nothing")
	}
}
