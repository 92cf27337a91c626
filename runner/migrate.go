package runner

import (
	"context"
	"fmt"
	"virtscope/results"
	"virtscope/testbed/guest"
)

// A migration is the action of migrating the guest.
type migration struct {
	e *execution
	m guest.Migration
}

// attrs implements action.
func (a *migration) attrs() map[string]string {
	m := a.e.trial.Spec.Action.Migrate
	attrs := map[string]string{results.AttrAlgorithm: m.Algorithm}
	if m.CancelAfter > 0 {
		attrs[results.AttrCancel] = "true"
	}
	if m.KillDestinationAfter > 0 {
		attrs[results.AttrKillDestination] = "true"
	}
	return attrs
}

// ready implements action: the destination waits.
func (a *migration) ready(ctx context.Context) error {
	migrator, ok := a.e.guest.(guest.Migrator)
	if !ok {
		return &guest.NotSupportedError{Feature: "migration", Where: "driver " + a.e.site.Driver().Name(), Remedy: "choose another driver"}
	}
	m, err := migrator.PrepareMigration(ctx, a.e.site.Destination(), a.e.site.Migration())
	if err != nil {
		return fmt.Errorf("prepare the migration: %w", err)
	}
	a.m = m
	return nil
}

// run implements action.
func (a *migration) run(ctx context.Context) error {
	if err := a.m.Run(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// check implements action: it holds the disks of both ends against each other.
func (a *migration) check(ctx context.Context) error {
	checker, ok := a.e.guest.(guest.DiskChecker)
	if !ok {
		return nil
	}
	return a.e.within(ctx, a.e.readLimit(2*diskBytes(a.e.trial.Spec)), "check the disk", checker.CheckDisk)
}
