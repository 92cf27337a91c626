package qemu

import (
	"context"
	"errors"
	"fmt"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
)

// Run implements guest.Migration. A destination whose migration failed is ended with the instance, so that its end does not
// count as migration time.
func (m *migration) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := m.follow(ctx)
	err := w.run(ctx)
	if w.ran() {
		return errors.Join(err, w.complete())
	}
	w.stopCopying()
	if m.disk != nil {
		m.disk.abandon(context.WithoutCancel(ctx))
	}
	if ctx.Err() != nil {
		return err
	}
	return w.aftermath(ctx, err)
}

// complete is the outcome of a migration that ran.
func (w *watch) complete() error {
	o := w.m.options
	if o.Algorithm != guest.BackgroundSnapshot {
		w.arrive()
	}
	switch {
	case w.giveUp != nil:
		return &guest.OutcomeError{Reason: w.giveUp.Reason + "; it completed while it was being cancelled"}
	case w.cancelled:
		return &guest.OutcomeError{Reason: "completed while it was being cancelled"}
	case w.tooLate != "":
		return &guest.OutcomeError{Reason: w.tooLate}
	case o.CancelAfter > 0:
		return &guest.OutcomeError{Reason: fmt.Sprintf("completed before it was cancelled after %s", o.CancelAfter)}
	case o.KillDestinationAfter > 0:
		return &guest.OutcomeError{Reason: fmt.Sprintf("completed before its destination was killed after %s", o.KillDestinationAfter)}
	}
	return nil
}

// arrive says that the guest runs at the destination.
func (w *watch) arrive() {
	if w.arrived {
		return
	}
	w.arrived = true
	w.m.guest.moveTo(w.m.dst)
	w.m.guest.agent.Use(w.m.dst.host.Name())
}

// aftermath is the outcome of a migration that did not run to its end. A guest that was not given away runs on at the source.
func (w *watch) aftermath(ctx context.Context, err error) error {
	var outcome *guest.OutcomeError
	onPurpose := errors.Is(err, errCancelled) || errors.Is(err, errKilled)
	if !onPurpose && !errors.As(err, &outcome) {
		return err
	}
	if w.postCopy {
		reason := "its destination was killed"
		if outcome != nil {
			reason = outcome.Error()
		}
		if w.overdueInPostCopy {
			return outcome
		}
		return &guest.OutcomeError{Reason: reason + "; the guest is lost: post-copy had begun"}
	}
	if w.dstResumed && !w.killed {
		return &guest.OutcomeError{Reason: err.Error() + "; the guest had been resumed at the destination"}
	}
	note, runs := w.settle(ctx)
	switch {
	case !runs && outcome != nil:
		return &guest.OutcomeError{Reason: outcome.Reason + "; " + note, Err: outcome.Err}
	case !runs:
		return &guest.OutcomeError{Reason: err.Error() + ", and " + note}
	case onPurpose:
		return nil
	case note != "":
		return &guest.OutcomeError{Reason: outcome.Reason + "; " + note, Err: outcome.Err}
	}
	return outcome
}

// errCancelled and errKilled end a watch as was asked for.
var (
	errCancelled = errors.New("the migration was cancelled")
	errKilled    = errors.New("the destination was killed")
)

// fault records what is done on purpose.
func (m *migration) fault(at *machine, kind string, attrs map[string]string) {
	all := map[string]string{"kind": kind}
	for k, v := range attrs {
		all[k] = v
	}
	m.guest.rec.Record(results.Record{
		Time: time.Now().UnixNano(), Host: at.host.Name(), Source: results.SourceRunner, Name: results.Fault, Attrs: all,
	})
}
