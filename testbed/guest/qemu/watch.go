package qemu

import (
	"context"
	"errors"
	"fmt"
	"time"
	"virtscope/testbed/guest"

	"github.com/digitalocean/go-qemu/qmp"
)

const (
	// pollInterval of query-migrate: samples for a curve. Events decide, never the poll.
	pollInterval = 100 * time.Millisecond
	// answerLimit bounds a question to a QEMU whose main loop may hang: the watch must see its timeout all the same.
	answerLimit = 2 * time.Second
	// cancelLimit bounds how long a cancelled migration may take to end.
	cancelLimit = 10 * time.Second
)

// A watch follows one migration by the events of both ends until it has ended.
type watch struct {
	m        *migration
	src, dst <-chan qmp.Event
	timeout  *time.Timer

	srcStopped   bool
	srcCompleted bool
	dstResumed   bool
	giveUp       *guest.OutcomeError // why the migration was cancelled; nil if it was not
}

// follow subscribes before the migration starts, so that no event is missed.
func (m *migration) follow(ctx context.Context) *watch {
	return &watch{m: m, src: m.src.mon.eventsFromNow(ctx), dst: m.dst.mon.eventsFromNow(ctx)}
}

// ran reports whether the source is done and the guest runs at the destination.
func (w *watch) ran() bool { return w.srcCompleted && w.dstResumed }

// wait returns nil when the migration ran. It may have done so after it was cancelled: see giveUp.
func (w *watch) wait(ctx context.Context) error {
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	limit := w.m.options.Timeout
	if limit <= 0 {
		limit = 1<<63 - 1
	}
	w.timeout = time.NewTimer(limit)
	defer w.timeout.Stop()
	for !w.ran() {
		var err error
		select {
		case e, open := <-w.src:
			err = w.source(ctx, e, open)
		case e, open := <-w.dst:
			err = w.destination(ctx, e, open)
		case <-poll.C:
			err = w.query(ctx, triggerPoll, 0)
		case <-w.timeout.C:
			err = w.overdue(ctx)
		case <-ctx.Done():
			return ctx.Err()
		}
		if err != nil {
			return err
		}
	}
	return w.query(ctx, triggerFinal, 0)
}

func (w *watch) source(ctx context.Context, e qmp.Event, open bool) error {
	if !open {
		return w.m.ended(ctx, w.m.src)
	}
	switch e.Event {
	case eventStop:
		w.srcStopped = true
	case eventMigrationPass:
		return w.pass(ctx, e)
	case eventMigration:
		switch status := eventStatus(e); status {
		case "pre-switchover":
			if w.m.disk == nil {
				return nil
			}
			if err := w.m.disk.switchOver(ctx); err != nil {
				return err
			}
			return w.m.src.mon.Execute(ctx, "migrate-continue", map[string]string{"state": "pre-switchover"}, nil)
		case "completed":
			w.srcCompleted = true
		case "failed", "cancelled":
			return w.failed(ctx, status)
		}
	}
	return nil
}

// pass begins round n, unless the guest is stopped: the last synchronisation belongs to stop-and-copy.
func (w *watch) pass(ctx context.Context, e qmp.Event) error {
	n, known := eventPass(e)
	if !known {
		return nil
	}
	if err := w.query(ctx, triggerPass, n); err != nil {
		return err
	}
	most := int64(w.m.options.MaxRounds)
	if most <= 0 || n <= most || w.srcStopped || w.giveUp != nil {
		return nil //nolint:nilerr // events decide: the migration goes on without this sample
	}
	return w.cancel(ctx, fmt.Sprintf("did not converge: more than %d pre-copy rounds", most))
}

func (w *watch) destination(ctx context.Context, e qmp.Event, open bool) error {
	if !open {
		return w.m.ended(ctx, w.m.dst)
	}
	switch {
	case e.Event == eventResume:
		w.dstResumed = true
	case e.Event == eventMigration && eventStatus(e) == "failed":
		return w.failed(ctx, "failed at the destination")
	}
	return nil
}

// query samples the source's counters. A sample that does not come in time is left out.
func (w *watch) query(ctx context.Context, trigger string, round int64) error {
	bounded, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	info, err := queryMigrate(bounded, w.m.src.mon)
	switch {
	case err == nil:
		recordInfo(w.m.guest.rec, w.m.src.host.Name(), info, time.Now(), trigger, round)
		return nil
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
		return nil //nolint:nilerr // events decide: the migration goes on without this sample
	}
	return w.m.ended(ctx, w.m.src)
}

// overdue cancels a migration that takes too long, and gives up on one that does not even end when cancelled.
func (w *watch) overdue(ctx context.Context) error {
	if w.giveUp == nil {
		return w.cancel(ctx, fmt.Sprintf("timed out after %s", w.m.options.Timeout))
	}
	return &guest.OutcomeError{Reason: fmt.Sprintf("%s, and did not end within %s of being cancelled", w.giveUp.Reason, cancelLimit)}
}

func (w *watch) cancel(ctx context.Context, reason string) error {
	w.giveUp = &guest.OutcomeError{Reason: reason}
	w.timeout.Reset(cancelLimit)
	bounded, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	err := w.m.src.mon.Execute(bounded, "migrate_cancel", nil, nil)
	if err != nil && ctx.Err() == nil {
		return &guest.OutcomeError{Reason: reason + ", and could not be cancelled", Err: err}
	}
	return err
}

// failed is the outcome after an end said failed or cancelled: the guest runs at the source again.
func (w *watch) failed(ctx context.Context, status string) error {
	if w.giveUp != nil {
		return w.giveUp
	}
	reason := "migration " + status
	for _, vm := range []*machine{w.m.src, w.m.dst} {
		bounded, cancel := context.WithTimeout(ctx, answerLimit)
		if info, err := queryMigrate(bounded, vm.mon); err == nil && info.ErrorDesc != nil {
			reason += ": " + vm.host.Name() + ": " + *info.ErrorDesc
		}
		cancel()
	}
	return &guest.OutcomeError{Reason: reason}
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
