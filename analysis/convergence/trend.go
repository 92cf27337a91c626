package convergence

import (
	"fmt"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// trendRounds is from how many rounds on their second half tells a trend.
const trendRounds = 6

// A trend is the race over several rounds: one round of a guest that stalls, or that is about as fast as the link, tells little.
type trend struct {
	from, to      int     // rounds
	dirtied, sent float64 // B
}

func (t trend) ratio() float64 { return t.dirtied / t.sent }

func (t trend) String() string {
	show := func(b float64) string { return quantity.Scaled(b, b/1000, results.Bytes) }
	return fmt.Sprintf("over rounds %d to %d the guest dirtied %s and %s were sent: a ratio of %.2f", t.from, t.to, show(t.dirtied), show(t.sent), t.ratio())
}

// trendOf sums up the second half of the rounds of which both are known; ok is false if those are too few.
func trendOf(rounds []Round) (t trend, ok bool) {
	var known []Round
	for _, r := range rounds {
		if r.Ratio.Known && !r.Ratio.Censored && r.Duration.Known {
			known = append(known, r)
		}
	}
	if len(known) < trendRounds {
		return t, false
	}
	known = known[len(known)/2:]
	t.from, t.to = known[0].N, known[len(known)-1].N
	for _, r := range known {
		t.dirtied += r.Dirtied.Value
		t.sent += r.LinkRate.Value * r.Duration.Value
	}
	return t, t.sent > 0
}
