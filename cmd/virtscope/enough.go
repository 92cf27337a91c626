package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"virtscope/analysis/stats"
	"virtscope/experiments/spec"
	"virtscope/results"
	"virtscope/runner"
)

// enoughTrials asks of the trials that ended whether more of a treatment are needed.
type enoughTrials struct {
	run      *results.Run
	rule     results.StopRule
	sequence stats.MedianSequence
	read     reader
	known    map[string]stats.Datum // by trial
}

// stopRule is the experiment's rule; nil if it has none.
func stopRule(e *spec.Experiment) *results.StopRule {
	if e.StopWhen == nil {
		return nil
	}
	s := e.StopWhen
	return &results.StopRule{Metric: s.Metric, Within: s.Within, Confidence: s.Confidence, AtLeast: s.AtLeast, AtMost: e.Replicates}
}

// checkStopRule is an error if the rule could never end a treatment.
func checkStopRule(rule *results.StopRule) error {
	if rule == nil {
		return nil
	}
	m, err := newSequence(*rule)
	if err != nil {
		return fmt.Errorf("stop-when: %w", err)
	}
	if m.Earliest() == 0 {
		return fmt.Errorf("stop-when: %d replicates are too few for any interval of %g %%: ask for more replicates, or less confidence", rule.AtMost, 100*rule.Confidence)
	}
	return nil
}

// newEnough is nil for a run without a rule.
func newEnough(r *results.Run) (runner.Enough, error) {
	if r.Manifest.Stop == nil {
		return nil, nil
	}
	e := &enoughTrials{run: r, rule: *r.Manifest.Stop, read: withoutSeries(r), known: map[string]stats.Datum{}}
	var err error
	e.sequence, err = newSequence(e.rule)
	return e.ask, err
}

func newSequence(rule results.StopRule) (stats.MedianSequence, error) {
	return stats.NewMedianSequence(rule.AtLeast, rule.AtMost, rule.Confidence)
}

// ask implements runner.Enough. Builds of one treatment end together: their trials are pairs.
func (e *enoughTrials) ask(ctx context.Context, t results.Trial) (string, error) {
	data := map[string][]stats.Datum{}
	var order []string
	for _, planned := range e.run.Plan {
		if withoutBuild(planned) != withoutBuild(t) {
			continue
		}
		if !slices.Contains(order, planned.Treatment) {
			order = append(order, planned.Treatment)
		}
		d, ok := e.datum(planned)
		if ok {
			data[planned.Treatment] = append(data[planned.Treatment], d)
		}
		if ok && planned.Treatment != t.Treatment && planned.Replicate == t.Replicate {
			return "", nil // a replicate of all builds is run whole
		}
		if err := ctx.Err(); err != nil {
			return "", nil //nolint:nilerr // the run ends by itself
		}
	}
	var told []string
	for _, treatment := range order {
		sample, err := stats.NewSample(data[treatment])
		if err != nil {
			return "", err
		}
		look := e.sequence.Look(sample, e.rule.Within)
		if !look.Enough {
			return "", nil
		}
		if math.IsNaN(look.Half) {
			told = append(told, fmt.Sprintf("after %d trials the median is known to be 0", look.N))
			continue
		}
		told = append(told, fmt.Sprintf("after %d trials the median is known within %.2g %% of it", look.N, 100*look.Half))
	}
	return fmt.Sprintf("%s: %s", e.rule.Metric, strings.Join(told, "; ")), nil
}

// datum is a trial's metric; ok is false if the trial is no datum (yet).
func (e *enoughTrials) datum(t results.Trial) (stats.Datum, bool) {
	if d, ok := e.known[t.ID]; ok {
		return d, true
	}
	ended, ok := analyzeTrial(e.run, t, e.read)
	if !ok || !ended.Outcome.Verdict.Final() || ended.Timeline == nil {
		return stats.Datum{}, false
	}
	q := ended.Timeline.Metric(e.rule.Metric).Quantity
	d := stats.Datum{Trial: t.ID, Block: t.Block, Order: t.Order, Value: q.Value, Known: q.Known, Censored: q.Censored}
	e.known[t.ID] = d
	return d, true
}

// withoutBuild names what a trial is one of, whatever its build.
func withoutBuild(t results.Trial) string {
	var b strings.Builder
	for _, l := range t.Levels {
		if l.Factor != spec.BuildFactor {
			fmt.Fprintf(&b, "%s=%s\x00", l.Factor, l.Value)
		}
	}
	return b.String()
}
