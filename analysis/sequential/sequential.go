// Package sequential says of each treatment of a run whether it needs more trials, where the experiment has a rule to stop.
package sequential

import (
	"fmt"
	"math"
	"virtscope/analysis/dataset"
	"virtscope/analysis/stats"
	"virtscope/results"
)

// A Rule ends the replicates of a treatment once the median of a metric is known well enough. Make it with NewRule.
type Rule struct {
	Metric     string
	Share      float64 // of the median, from which both ends of its interval may be as far
	Confidence float64 // over all looks together
	AtLeast    int     // known values
	Most       int     // the replicates that were planned
	looks      stats.Sequence
}

// NewRule plans the looks: one after each trial from at-least to most.
func NewRule(metric string, share, confidence float64, atLeast, most int) Rule {
	return Rule{metric, share, confidence, atLeast, most, stats.NewSequence(confidence, atLeast, most)}
}

// String is the rule in words.
func (r Rule) String() string {
	return fmt.Sprintf("a treatment ends when the %g %% interval of its median %s is within %g %% of it, after %d to %d trials; the interval is one that may be looked at after each trial",
		100*r.Confidence, r.Metric, 100*r.Share, r.AtLeast, r.Most)
}

// A State is where a treatment stands.
type State struct {
	N        int // trials whose value is known, censored ones included
	Censored int
	Unknown  int // trials that count, but have no value
	Median   stats.Estimate
	Interval stats.Interval // over all looks
	Unit     results.Unit
	Reach    float64 // the share of the median by which the interval's farther end is away from it; NaN if it is not known
	Enough   bool
}

// State judges the trials of a treatment that ended.
func (r Rule) State(t dataset.Treatment) (State, error) {
	sample, unit, err := t.Sample(r.Metric)
	if err != nil {
		return State{}, err
	}
	sum := stats.Summarise(sample, r.Confidence)
	s := State{N: sum.Known, Censored: sum.Censored, Unknown: sum.N - sum.Known, Median: sum.Median, Unit: unit, Interval: r.looks.Median(sample), Reach: math.NaN()}
	in := s.Interval
	if !in.Known || in.Low.AtLeast || in.High.AtLeast || s.Median.AtLeast {
		return s, nil
	}
	away := max(in.High.Value-s.Median.Value, s.Median.Value-in.Low.Value)
	size := math.Abs(s.Median.Value)
	// A median of 0 has no share; where nothing varies it is known all the same.
	switch {
	case away == 0:
		s.Reach = 0
	case size > 0:
		s.Reach = away / size
	}
	s.Enough = s.Reach <= r.Share
	return s, nil
}
