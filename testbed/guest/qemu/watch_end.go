package qemu

import (
	"context"
	"errors"
	"fmt"
	"time"
	"virtscope/testbed/guest"
)

// overdue cancels a migration that takes too long, and gives up on one that does not even end when cancelled.
func (w *watch) overdue(ctx context.Context) error {
	reason := fmt.Sprintf("timed out after %s", w.m.options.Timeout)
	switch {
	case w.srcCompleted && !w.dstResumed && w.m.dst != nil && !w.killed:
		return &guest.OutcomeError{Reason: reason + ": the source was done, and the destination had not resumed the guest"}
	case w.killed && !viaFile(w.m.options):
		return &guest.OutcomeError{Reason: fmt.Sprintf("the source did not notice within %s that its destination was killed", cancelLimit)}
	case w.inPostCopy(ctx):
		w.overdueInPostCopy = true
		if w.giveUp != nil {
			reason = w.giveUp.Reason
		}
		return &guest.OutcomeError{Reason: reason + " in post-copy, which cannot be cancelled: the guest needs both hosts"}
	case w.giveUp != nil:
		w.waitedForEnd = true
		return &guest.OutcomeError{Reason: fmt.Sprintf("%s, and did not end within %s of being cancelled", w.giveUp.Reason, cancelLimit)}
	case w.cancelled:
		w.waitedForEnd = true
		return &guest.OutcomeError{Reason: fmt.Sprintf("did not end within %s of being cancelled", cancelLimit)}
	case !w.started:
		return &guest.OutcomeError{Reason: reason + ", while the disk was copied"}
	}
	return w.cancel(ctx, reason)
}

func (w *watch) cancel(ctx context.Context, reason string) error {
	w.giveUp = &guest.OutcomeError{Reason: reason}
	err := w.migrateCancel(ctx)
	if err != nil && ctx.Err() == nil {
		return &guest.OutcomeError{Reason: reason + ", and could not be cancelled", Err: err}
	}
	return err
}

func (w *watch) migrateCancel(ctx context.Context) error {
	w.cancelAsked = true
	w.timeout.Reset(cancelLimit)
	bounded, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	return w.m.src.mon.Execute(bounded, "migrate_cancel", nil, nil)
}

// failed is the outcome after an end said failed or cancelled.
func (w *watch) failed(ctx context.Context, status string) error {
	switch {
	case w.killed:
		return errKilled
	case w.cancelled && status == "cancelled":
		return errCancelled
	case w.giveUp != nil:
		return w.giveUp
	}
	reason := "migration " + status
	for _, vm := range []*machine{w.m.src, w.m.dst} {
		if vm == nil {
			continue
		}
		bounded, cancel := context.WithTimeout(ctx, answerLimit)
		if info, err := queryMigrate(bounded, vm.mon); err == nil && info.ErrorDesc != nil {
			reason += ": " + vm.host.Name() + ": " + *info.ErrorDesc
		}
		cancel()
	}
	return &guest.OutcomeError{Reason: reason}
}

// refused tells the source's own refusal from a connection that is gone.
func (m *migration) refused(ctx context.Context, err error) error {
	var refusal *CommandError
	if errors.As(err, &refusal) {
		return &guest.OutcomeError{Reason: "the source refused to migrate", Err: err}
	}
	return m.ended(ctx, m.src)
}

// ended is the outcome when a QEMU went away in the middle.
func (m *migration) ended(ctx context.Context, vm *machine) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-vm.proc.Done():
		return &guest.OutcomeError{Reason: "qemu on " + vm.host.Name() + " ended during the migration", Err: vm.proc.Err()}
	case <-time.After(time.Second):
		return fmt.Errorf("follow the migration: the qmp connection to %s was lost", vm.host.Name())
	}
}
