package runner

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"
	"virtscope/experiments/plan"
	"virtscope/results"
	"virtscope/testbed/guest"
)

const actionMigrate = "migrate"

// prepareMigration does what need not count as migration time.
func (e *execution) prepareMigration(ctx context.Context) error {
	migrator, ok := e.guest.(guest.Migrator)
	if !ok {
		return &guest.NotSupportedError{Feature: "migration", Where: "driver " + e.site.Driver().Name(), Remedy: "choose another driver"}
	}
	ready, err := migrator.PrepareMigration(ctx, e.site.Destination(), e.site.Migration())
	if err != nil {
		return fmt.Errorf("prepare the migration: %w", err)
	}
	e.ready = ready
	return nil
}

// act is the action itself. What fails here is the subject's outcome, unless the user or a probe ended it.
func (e *execution) act(ctx context.Context) error {
	if err := e.rec.alive(time.Now()); err != nil {
		return err
	}
	attrs := e.actionAttrs()
	e.mend = e.failLinks(ctx)
	e.undo.Push("links", func(context.Context) error { return e.mend() })
	e.acted = true
	e.record(time.Now(), results.ActionBegin, attrs)
	err := e.migrate(ctx)
	e.record(time.Now(), results.ActionEnd, attrs)
	return err
}

// actionAttrs say what the analysis must know of the action.
func (e *execution) actionAttrs() map[string]string {
	attrs := map[string]string{"action": actionMigrate, "client": e.trial.Spec.Testbed.Client}
	m := e.trial.Spec.Action.Migrate
	if m == nil {
		return attrs
	}
	attrs["algorithm"] = m.Algorithm
	if m.CancelAfter > 0 {
		attrs["cancel"] = "true"
	}
	if m.KillDestinationAfter > 0 {
		attrs["kill-destination"] = "true"
	}
	return attrs
}

func (e *execution) migrate(ctx context.Context) error {
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
	if err := e.ready.Run(bounded); err != nil {
		if ctx.Err() == nil && bounded.Err() != nil {
			return fmt.Errorf("migrate: %w: %w", context.Cause(bounded), err)
		}
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// seed gives each trial its own memory content, the same whenever the trial is run again.
func seed(t plan.Trial) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(t.ID)) // a hash takes anything
	return h.Sum64()
}
