package runner

import (
	"context"
	"errors"
	"fmt"
	"time"
	"virtscope/experiments/spec"
	"virtscope/results"
)

// An action is what is done in the trial's state action, and what it takes before and after.
type action interface {
	// attrs say what the analysis must know of it, beside its name and the client's place.
	attrs() map[string]string
	// ready does what need not count, when the guest's workload runs and before the probes start.
	ready(ctx context.Context) error
	// run is what is measured. What fails in it is the subject's outcome.
	run(ctx context.Context) error
	// check looks at what it left, when the probes have stopped. The guest that the runner booted is verified by the runner.
	check(ctx context.Context) error
}

// newAction is the action that the trial's experiment asks for.
func (e *execution) newAction() (action, error) {
	a := e.trial.Spec.Action
	switch kind := a.Kind(); kind {
	case spec.ActionMigrate:
		return &migration{e: e}, nil
	case spec.ActionBoot:
		return newBoot(e), nil
	case spec.ActionCheckpoint:
		return &checkpointing{e: e, ask: *a.Checkpoint}, nil
	case spec.ActionRecover:
		return newRecovery(e, *a.Recover), nil
	case spec.ActionJobs:
		return newJobs(e), nil
	default:
		return nil, fmt.Errorf("the runner has no action %q", kind)
	}
}

// act is the action itself, unless the user or a probe ended it.
func (e *execution) act(ctx context.Context) error {
	if err := e.rec.alive(time.Now()); err != nil && !e.trial.Spec.Action.Fleet() {
		return err
	}
	attrs := e.action.attrs()
	attrs["action"], attrs[results.AttrClient] = e.trial.Spec.Action.Kind(), e.trial.Spec.Testbed.Client
	e.mend = e.failLinks(ctx)
	e.undo.Push("links", func(context.Context) error { return e.mend() })
	e.acted = true
	e.record(time.Now(), results.ActionBegin, attrs)
	err := e.whileProbed(ctx, e.action.run)
	e.record(time.Now(), results.ActionEnd, attrs)
	return err
}

// whileProbed ends what it does when a probe fails.
func (e *execution) whileProbed(ctx context.Context, do func(context.Context) error) error {
	bounded, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ended := make(chan struct{})
	defer close(ended)
	failed := e.set.Failed()
	go func() {
		select {
		case <-failed:
			cancel(errors.New("a probe failed"))
		case <-ended:
		}
	}()
	err := do(bounded)
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		return fmt.Errorf("%w: %w", context.Cause(bounded), err)
	}
	return err
}
