package qemu

import (
	"context"
	"time"
	"virtscope/testbed/guest"
)

// faults are what is done to a migration on purpose.
type faults struct {
	cancelDue, killDue <-chan time.Time
	cancelled, killed  bool
	tooLate            string // why it could not be cancelled
	overdueInPostCopy  bool
}

// plan sets when the faults come.
func (w *watch) plan() {
	if d := w.m.options.CancelAfter; d > 0 {
		w.cancelDue = time.After(d)
	}
	if d := w.m.options.KillDestinationAfter; d > 0 && w.m.dst != nil {
		w.killDue = time.After(d)
	}
}

func (w *watch) cancelOnPurpose(ctx context.Context) error {
	w.cancelDue = nil
	if w.inPostCopy(ctx) {
		w.tooLate = tooLateFor("cancelled", w.m.options.CancelAfter)
		return nil
	}
	if w.givingUp() || w.srcCompleted || w.killed {
		return nil
	}
	w.cancelled = true
	w.m.fault(w.m.src, "cancel", nil)
	if !w.started {
		return errCancelled
	}
	if err := w.migrateCancel(ctx); err != nil && ctx.Err() == nil {
		return &guest.OutcomeError{Reason: "could not be cancelled", Err: err}
	}
	return ctx.Err()
}

func (w *watch) killDestination() error {
	w.killDue = nil
	w.killed = true
	w.m.fault(w.m.dst, "kill-destination", nil)
	if !viaFile(w.m.options) { // the source finds out, but when it has written the file
		w.timeout.Reset(cancelLimit)
	}
	_ = w.m.dst.proc.Kill() // an error says that it is gone
	if !w.started {
		return errKilled
	}
	return nil
}
