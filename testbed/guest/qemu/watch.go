package qemu

import (
	"context"
	"fmt"
	"time"
	"virtscope/testbed/guest"

	"github.com/digitalocean/go-qemu/qmp"
)

// pollInterval of query-migrate: samples for a curve. Events decide, never the poll.
const pollInterval = 100 * time.Millisecond

// cancelLimit bounds how long a cancelled migration may take to end.
const cancelLimit = 10 * time.Second

// A watch follows one migration by the events of both ends until it has ended.
type watch struct {
	m        *migration
	src, dst <-chan qmp.Event

	srcCompleted bool
	dstResumed   bool
	giveUp       error // why the migration was cancelled; nil if it was not
}

func newWatch(m *migration) *watch { return &watch{m: m} }

// follow subscribes before the migration starts, so that no event is missed.
func (w *watch) follow(ctx context.Context) {
	w.src = w.m.src.mon.eventsFromNow(ctx)
	w.dst = w.m.dst.mon.eventsFromNow(ctx)
}

// wait returns nil when the source is done and the guest runs at the destination.
func (w *watch) wait(ctx context.Context) error {
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	limit := w.m.options.Timeout
	if limit <= 0 {
		limit = 1<<63 - 1
	}
	timeout := time.NewTimer(limit)
	defer timeout.Stop()
	for !w.srcCompleted || !w.dstResumed {
		var err error
		select {
		case e, open := <-w.src:
			err = w.source(ctx, e, open)
		case e, open := <-w.dst:
			err = w.destination(ctx, e, open)
		case <-poll.C:
			err = w.query(ctx, triggerPoll, 0)
		case <-timeout.C:
			if w.giveUp != nil {
				return fmt.Errorf("cancel the migration: it did not end in %s: %w", cancelLimit, w.giveUp)
			}
			timeout.Reset(cancelLimit)
			err = w.cancel(ctx, fmt.Sprintf("timed out after %s", w.m.options.Timeout))
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
		return w.ended(ctx, w.m.src)
	}
	switch e.Event {
	case eventMigrationPass:
		return w.pass(ctx, e)
	case eventMigration:
		switch status := eventStatus(e); status {
		case "completed":
			w.srcCompleted = true
		case "failed", "cancelled":
			return w.failed(ctx, status)
		}
	}
	return nil
}

func (w *watch) pass(ctx context.Context, e qmp.Event) error {
	n, known := eventPass(e)
	if !known {
		return nil
	}
	if err := w.query(ctx, triggerPass, n); err != nil {
		return err
	}
	if most := int64(w.m.options.MaxRounds); most > 0 && n > most && w.giveUp == nil {
		return w.cancel(ctx, fmt.Sprintf("did not converge: more than %d pre-copy rounds", most))
	}
	return nil
}

func (w *watch) destination(ctx context.Context, e qmp.Event, open bool) error {
	if !open {
		return w.ended(ctx, w.m.dst)
	}
	switch {
	case e.Event == eventResume:
		w.dstResumed = true
	case e.Event == eventMigration && eventStatus(e) == "failed":
		return w.failed(ctx, "failed at the destination")
	}
	return nil
}

// query samples the source's counters. QEMU answers while it migrates; a refusal means that it is gone.
func (w *watch) query(ctx context.Context, trigger string, round int64) error {
	info, err := queryMigrate(ctx, w.m.src.mon)
	if err != nil {
		return w.ended(ctx, w.m.src)
	}
	recordInfo(w.m.guest.rec, w.m.src.host.Name(), info, time.Now(), trigger, round)
	return nil
}

func (w *watch) cancel(ctx context.Context, reason string) error {
	w.giveUp = &guest.OutcomeError{Reason: reason}
	if err := w.m.src.mon.Execute(ctx, "migrate_cancel", nil, nil); err != nil {
		return fmt.Errorf("%s: cancel the migration: %w", reason, err)
	}
	return nil
}

// failed is the outcome after the source said failed or cancelled: the guest runs at the source again.
func (w *watch) failed(ctx context.Context, status string) error {
	if w.giveUp != nil {
		return w.giveUp
	}
	reason := "migration " + status
	for _, vm := range []*machine{w.m.src, w.m.dst} {
		if info, err := queryMigrate(ctx, vm.mon); err == nil && info.ErrorDesc != nil {
			reason += ": " + vm.host.Name() + ": " + *info.ErrorDesc
		}
	}
	return &guest.OutcomeError{Reason: reason}
}

// ended is the outcome when a QEMU went away in the middle.
func (w *watch) ended(ctx context.Context, vm *machine) error {
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
