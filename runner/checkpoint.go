package runner

import (
	"context"
	"errors"
	"fmt"
	"time"
	"virtscope/experiments/spec"
	"virtscope/results"
	"virtscope/testbed/guest"
)

const undamaged = "none"

// A checkpointing is the action of saving the guest, and perhaps of bringing it back.
type checkpointing struct {
	e    *execution
	ask  spec.Checkpoint
	kept Vault
	last string // the last checkpoint
}

// attrs implements action.
func (a *checkpointing) attrs() map[string]string {
	attrs := savingAttrs(a.ask.Save)
	attrs["restore"], attrs["damage"] = a.ask.Restore, a.ask.Damage
	return attrs
}

// restores reports whether the guest is killed and comes back. A checkpoint that was damaged must not bring it back, so it stays.
func (a *checkpointing) restores() bool {
	return (a.ask.Restore == onSame || a.ask.Restore == onOther) && !a.damages()
}

func (a *checkpointing) damages() bool { return a.ask.Damage != undamaged && a.ask.Damage != "" }

// ready implements action.
func (a *checkpointing) ready(context.Context) (err error) {
	a.kept, err = a.e.vault(a.restores())
	return err
}

// run implements action: the n-th checkpoint begins n−1 intervals after the first, or as soon as the one before has ended.
func (a *checkpointing) run(ctx context.Context) error {
	begin := time.Now()
	for n := range a.ask.Count {
		due := begin.Add(time.Duration(n) * time.Duration(a.ask.Interval))
		if err := a.e.observe(max(0, time.Until(due)))(ctx); err != nil {
			return err
		}
		if err := a.save(ctx, n+1); err != nil {
			return err
		}
	}
	switch {
	case a.damages():
		return a.refused(ctx)
	case a.restores():
		return a.restore(ctx)
	}
	return nil
}

func (a *checkpointing) save(ctx context.Context, n int) error {
	return bounded(ctx, time.Duration(a.ask.Timeout), fmt.Sprintf("checkpoint %d", n), func(ctx context.Context) (err error) {
		a.last, err = a.kept.Save(ctx, a.e.guest, n, nil, a.e.rec)
		if err != nil && ended(a.e.guest) {
			return &guest.OutcomeError{Reason: "the guest ended by itself when it was saved", Err: err}
		}
		return err
	})
}

// refused damages the last checkpoint, whose restore must then be refused. The guest runs on.
func (a *checkpointing) refused(ctx context.Context) error {
	if err := a.kept.Damage(ctx, a.last, a.ask.Damage, a.e.rec); err != nil {
		return err
	}
	return bounded(ctx, time.Duration(a.ask.Timeout), "the refusal of a damaged checkpoint", func(ctx context.Context) error {
		g, err := a.kept.Restore(ctx, a.last, a.e.elsewhere(a.e.guest.Host(), a.ask.Restore), a.e.rec)
		if err == nil {
			accepted := &guest.OutcomeError{Reason: "a damaged checkpoint was accepted (" + a.ask.Damage + ")"}
			return errors.Join(accepted, g.Close()) // two guests have one address
		}
		if a.e.rec.signs.wasRefused(a.last) {
			return nil
		}
		return err
	})
}

// restore verifies the last checkpoint, kills the guest and brings it back.
func (a *checkpointing) restore(ctx context.Context) error {
	limit := time.Duration(a.ask.Timeout)
	err := bounded(ctx, limit, "the verification of the checkpoint", func(ctx context.Context) error {
		return a.kept.Verify(ctx, a.last, a.e.rec)
	})
	if err != nil {
		return err
	}
	old := a.e.guest
	h := a.e.elsewhere(old.Host(), a.ask.Restore)
	err = a.e.kill(old, results.Fault, map[string]string{"kind": results.FaultKillGuest, "host": old.Host().Name()})
	if err := errors.Join(err, old.Close()); err != nil {
		return fmt.Errorf("kill the guest: %w", err)
	}
	attrs := map[string]string{"host": h.Name(), results.AttrCheckpoint: a.last}
	return bounded(ctx, limit, "the restore", func(ctx context.Context) error {
		return a.e.revive(ctx, a.kept, a.last, h, attrs)
	})
}

// check implements action.
func (*checkpointing) check(context.Context) error { return nil }
