package main

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"virtscope/analysis/report"
	"virtscope/analysis/timeline"
	"virtscope/results"
)

// A reader makes of a trial's records what is reported of it.
type reader func(results.Outcome) (*timeline.Timeline, report.Series, error)

// withoutSeries reads timelines alone.
func withoutSeries(r *results.Run) reader {
	specs := trialSpecs(r)
	return func(o results.Outcome) (*timeline.Timeline, report.Series, error) {
		tl, err := buildTimeline(r, o, specs[o.Trial.ID])
		return tl, nil, err
	}
}

// withSeries reads timelines, and packs what the report's viewer shows.
func withSeries(r *results.Run) reader {
	specs := trialSpecs(r)
	return func(o results.Outcome) (*timeline.Timeline, report.Series, error) {
		records, err := r.Records(o.Trial.ID)
		if err != nil {
			return nil, nil, err
		}
		tl, traces, err := timeline.BuildTraced(o, records, limitsOf(specs[o.Trial.ID]))
		if err != nil {
			return nil, nil, err
		}
		series, err := report.Pack(tl, traces)
		return tl, series, err
	}
}

// trialsAtOnce bounds the trials that are read at once, as do the CPUs: each holds all its records in memory.
const trialsAtOnce = 8

// analyzeTrials builds the timeline of every trial that ended, several at once, and lists them in the plan's order. Each trial is
// given to done as soon as it is built, from any goroutine; nil is none. The first error in the plan's order ends it.
func analyzeTrials(ctx context.Context, r *results.Run, read reader, done func(report.Trial) error) ([]report.Trial, error) {
	type result struct {
		trial report.Trial
		ended bool
		err   error
	}
	all := make([]result, len(r.Plan))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(runtime.NumCPU(), trialsAtOnce, max(1, len(r.Plan))) {
		workers.Go(func() {
			for i := range next {
				a := &all[i]
				a.trial, a.ended = analyzeTrial(r, r.Plan[i], read)
				if !a.ended || done == nil {
					continue
				}
				if a.err = done(a.trial); a.err != nil {
					cancel()
				}
			}
		})
	}
feed:
	for i := range r.Plan {
		select {
		case next <- i:
		case <-ctx.Done():
			break feed
		}
	}
	close(next)
	workers.Wait()
	var trials []report.Trial
	for _, a := range all {
		if a.err != nil {
			return nil, a.err
		}
		if a.ended {
			trials = append(trials, a.trial)
		}
	}
	return trials, ctx.Err()
}

// analyzeTrial builds the timeline of a trial; ended is false if it has no outcome. An outcome or records that cannot be read are
// the trial's problem, and no error: the other trials are as good as ever.
func analyzeTrial(r *results.Run, planned results.Trial, read reader) (t report.Trial, ended bool) {
	o, ended, err := r.Outcome(planned.ID)
	if err == nil && ended && !o.Verdict.Told() {
		err = fmt.Errorf("its verdict is %q, which this version does not know", o.Verdict)
	}
	if err != nil {
		why := fmt.Sprintf("how it ended cannot be read: %v", err)
		return report.Trial{Outcome: results.Outcome{Trial: planned, Verdict: results.Untold, Reason: why}, Problem: why}, true
	}
	if !ended {
		return t, false
	}
	t.Outcome = o
	if t.Timeline, t.Series, err = read(o); err != nil {
		t.Problem = err.Error()
	}
	return t, true
}
