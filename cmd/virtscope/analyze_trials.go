package main

import (
	"context"
	"runtime"
	"sync"
	"virtscope/analysis/report"
	"virtscope/experiments/spec"
	"virtscope/results"
)

// trialsAtOnce bounds the trials that are read at once, as do the CPUs: each holds all its records in memory.
const trialsAtOnce = 8

// analyzeTrials builds the timeline of every trial that ended, several at once, and lists them in the plan's order. Each trial is
// given to done as soon as it is built, from any goroutine; nil is none. The first error in the plan's order ends it.
func analyzeTrials(ctx context.Context, r *results.Run, specs map[string]*spec.Experiment, done func(report.Trial) error) ([]report.Trial, error) {
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
				if a.trial, a.ended, a.err = analyzeTrial(r, r.Plan[i].ID, specs[r.Plan[i].ID]); a.err == nil && a.ended && done != nil {
					a.err = done(a.trial)
				}
				if a.err != nil {
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

// analyzeTrial builds the timeline of a trial; ended is false if it has no outcome. Records that cannot be read are the trial's
// problem, and no error.
func analyzeTrial(r *results.Run, id string, s *spec.Experiment) (t report.Trial, ended bool, err error) {
	t.Outcome, ended, err = r.Outcome(id)
	if err != nil || !ended {
		return t, false, err
	}
	if t.Timeline, err = buildTimeline(r, t.Outcome, s); err != nil {
		t.Problem = err.Error()
	}
	return t, true, nil
}
