package runner

import (
	"context"
	"errors"
	"fmt"
	"time"
	"virtscope/experiments/plan"
	"virtscope/probes"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/undo"
)

// Limits of steps that have none in the experiment.
const (
	bootLimit  = 90 * time.Second // until the agent says hello; emulated guests take up to 40 s on a busy machine
	startLimit = 60 * time.Second // of the workload, which fills its memory first
	armLimit   = 90 * time.Second // of the probes: a load client fills the guest's store first
)

// Controller is the host name of this program's own clock.
const Controller = "controller"

// An execution is one attempt at a trial.
type execution struct {
	user     context.Context // done when the user asked to stop
	progress Progress
	lab      Lab
	trial    plan.Trial
	attempt  *results.Attempt
	dir      string
	rec      *witness
	noisy    func() error // whether the machine made the trial invalid; nil: nobody judges
	undo     undo.Stack

	site   Site
	action action
	guest  guest.Instance // the one that the runner booted, or what was restored in its place; nil where the action starts guests
	agent  *agent.Client  // the guest's
	live   population     // every guest of the trial
	set    *probes.Set

	mend       func() error  // ends what fails links, and mends them
	uncut      []*uncutError // valid behind mend
	background func() error  // ends what else runs

	outcome results.Outcome
	acted   bool // the action began
	state   string
	since   time.Time
	spent   map[string]time.Duration // by state
}

func newExecution(user context.Context, x Runner, t plan.Trial, a *results.Attempt) *execution {
	e := &execution{
		user: user, progress: x.Progress, lab: x.Lab, trial: t, attempt: a, dir: a.Dir,
		spent: map[string]time.Duration{},
	}
	var to results.Recorder = a
	if x.Noisy != nil && t.Spec.Noise.Action == "invalid" {
		keeper := &noiseKeeper{to: a}
		e.noisy = func() error { return keeper.judge(t, x.Noisy) }
		to = keeper
	}
	e.rec = newWitness(to, x.Progress.Event)
	return e
}

// run takes the trial through its states and always tears down what was built.
func (e *execution) run() results.Outcome {
	e.outcome = results.Outcome{Trial: e.trial.Trial, Begin: time.Now()}
	ctx, cancel := context.WithTimeoutCause(e.user, time.Duration(e.trial.Spec.Timeout),
		fmt.Errorf("trial timed out after %s in state", e.trial.Spec.Timeout))
	defer cancel()
	err := e.states(ctx)
	interrupted := e.user.Err() != nil // before tear-down: a trial that has ended is not undone by a late signal
	if err != nil && ctx.Err() != nil && e.user.Err() == nil {
		err = fmt.Errorf("%w %s: %w", context.Cause(ctx), e.state, err)
	}
	e.enter(results.StateTearDown, 0)
	if downErr := e.undo.Run(ctx); downErr != nil {
		err = errors.Join(err, fmt.Errorf("tear down: %w", downErr))
	}
	e.finish(interrupted, err)
	return e.outcome
}

func (e *execution) states(ctx context.Context) error {
	s := e.trial.Spec
	steps := []struct {
		state  string
		expect time.Duration
		do     func(context.Context) error
	}{
		{results.StatePrepare, 0, e.prepare},
		{results.StateBoot, 0, e.boot},
		{results.StateWarmUp, time.Duration(s.Warmup), e.warmUp},
		{results.StateBaseline, time.Duration(s.Baseline), e.observe(time.Duration(s.Baseline))},
		{results.StateAction, 0, e.act},
		{results.StateQuiesce, time.Duration(s.Quiesce), e.observe(time.Duration(s.Quiesce))},
		{results.StateCollect, 0, e.collect},
	}
	for _, step := range steps {
		e.enter(step.state, step.expect)
		if err := step.do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// enter begins a state and ends the one before.
func (e *execution) enter(state string, expect time.Duration) {
	now := time.Now()
	e.leave(now)
	e.state, e.since = state, now
	e.record(now, results.TrialState, map[string]string{"state": state})
	e.progress.State(state, expect)
}

func (e *execution) leave(now time.Time) {
	if e.state != "" {
		e.spent[e.state] += now.Sub(e.since)
	}
}

func (e *execution) finish(interrupted bool, err error) {
	now := time.Now()
	e.leave(now)
	e.record(now, results.TrialEnd, nil)
	if err == nil {
		err = errors.Join(e.rec.err(), e.lost())
	}
	if err == nil && e.noisy != nil {
		err = e.noisy()
	}
	o := &e.outcome
	o.Verdict, o.Reason = judge(interrupted, err)
	o.End = now
	for _, state := range []string{results.StatePrepare, results.StateCollect, results.StateTearDown} {
		o.Overhead += e.spent[state]
	}
	// What warm-up takes beyond what was asked for is the start of the workload, the destination and the probes.
	o.Overhead += max(0, e.spent[results.StateWarmUp]-time.Duration(e.trial.Spec.Warmup))
}

// lost is an error if the store could not keep a record: a gap in the records looks like an outage.
func (e *execution) lost() error {
	if n := e.attempt.Dropped(); n > 0 {
		return fmt.Errorf("the store could not keep %d records", n)
	}
	return nil
}

func (e *execution) record(at time.Time, name string, attrs map[string]string) {
	e.rec.Record(results.Record{Time: at.UnixNano(), Host: Controller, Source: results.SourceRunner, Name: name, Attrs: attrs})
}
