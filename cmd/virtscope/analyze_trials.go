package main

import (
	"context"
	"fmt"
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
				a.trial, a.ended = analyzeTrial(r, r.Plan[i], specs[r.Plan[i].ID])
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
func analyzeTrial(r *results.Run, planned results.Trial, s *spec.Experiment) (t report.Trial, ended bool) {
	o, ended, err := r.Outcome(planned.ID)
	if err != nil {
		why := fmt.Sprintf("how it ended cannot be read: %v", err)
		return report.Trial{Outcome: results.Outcome{Trial: planned, Verdict: results.Invalid, Reason: why}, Problem: why}, true
	}
	if !ended {
		return t, false
	}
	t.Outcome = o
	if t.Timeline, err = buildTimeline(r, o, s); err != nil {
		t.Problem = err.Error()
	}
	return t, true
}
