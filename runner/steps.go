package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"virtscope/probes"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
)

// prepare brings up the testbed.
func (e *execution) prepare(ctx context.Context) error {
	site, err := e.lab.Up(ctx, e.trial, e.dir)
	if err != nil {
		return fmt.Errorf("bring up the testbed: %w", err)
	}
	e.site = site
	e.undo.Push("testbed", site.Down)
	if e.action, err = e.newAction(); err != nil {
		return err
	}
	e.outcome.Warnings = site.Warnings()
	e.outcome.Facts, err = site.Facts(ctx)
	if err != nil {
		return err
	}
	return e.clocks(ctx)
}

func (e *execution) clocks(ctx context.Context) error {
	offsets, err := e.site.Clocks(ctx)
	if err != nil {
		return fmt.Errorf("compare clocks: %w", err)
	}
	for _, r := range offsets {
		e.rec.Record(r)
	}
	return nil
}

// boot starts the guest and waits for its agent. Guests that the action starts are only made ready for.
func (e *execution) boot(ctx context.Context) error {
	if e.trial.Spec.Action.Fleet() {
		if err := e.site.Fleet().Prepare(ctx, e.rec); err != nil {
			return fmt.Errorf("make ready for guests: %w", err)
		}
		return nil
	}
	instance, err := e.site.Start(ctx, e.rec)
	if err != nil {
		return fmt.Errorf("boot the guest: %w", err)
	}
	if err := e.adopt(instance); err != nil {
		return fmt.Errorf("boot the guest: %w", err)
	}
	return e.within(ctx, bootLimit, "boot the guest", func(ctx context.Context) error {
		_, err := e.agent.Hello(ctx)
		return err
	})
}

// adopt makes an instance the trial's guest, in place of the one before, if any, which is closed with the trial. It closes the new one too.
func (e *execution) adopt(instance guest.Instance) error {
	e.undo.Push("guest", func(context.Context) error {
		e.live.remove(instance)
		return instance.Close()
	})
	agented, ok := instance.(guest.Agented)
	if !ok {
		return fmt.Errorf("driver %s has no agent", e.site.Driver().Name())
	}
	if e.guest != nil {
		e.live.remove(e.guest)
	}
	e.guest, e.agent = instance, agented.Agent()
	e.live.add(instance)
	return nil
}

// warmUp starts the workload and whatever the action needs to be ready, then the probes, and waits.
func (e *execution) warmUp(ctx context.Context) error {
	if err := e.startWorkload(ctx); err != nil {
		return err
	}
	if err := e.action.ready(ctx); err != nil {
		return err
	}
	list, err := e.site.Probes(e.live.processes)
	if err != nil {
		return fmt.Errorf("make probes: %w", err)
	}
	e.set = &probes.Set{ArmLimit: armLimit}
	if err := e.set.Start(ctx, e.rec, list...); err != nil {
		return fmt.Errorf("start probes: %w", err)
	}
	e.undo.Push("probes", func(context.Context) error { return e.stopProbes() })
	stop, err := e.site.Background(ctx, e.rec)
	if err != nil {
		return fmt.Errorf("start what else runs: %w", err)
	}
	e.background = once(stop)
	e.undo.Push("what else runs", func(context.Context) error { return e.background() })
	return e.observe(time.Duration(e.trial.Spec.Warmup))(ctx)
}

// startWorkload starts that of the guest that the runner booted.
func (e *execution) startWorkload(ctx context.Context) error {
	if e.guest == nil {
		return nil
	}
	s := e.trial.Spec
	return e.within(ctx, startLimit, "start the workload", func(ctx context.Context) error {
		if err := e.agent.Reserve(ctx, agent.Memory{Bytes: int64(s.Guest.Check), Seed: seed(e.trial)}); err != nil {
			return err
		}
		w, err := workload(s.Workload, seed(e.trial))
		if err != nil {
			return err
		}
		return e.agent.Start(ctx, w)
	})
}

// stopProbes stops them once.
func (e *execution) stopProbes() error {
	if e.set == nil {
		return nil
	}
	set := e.set
	e.set = nil
	return set.Stop()
}

// observe waits, and gives up early when a probe or the guest ends.
func (e *execution) observe(d time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		timer := time.NewTimer(d)
		defer timer.Stop()
		var ended <-chan struct{} // of guests that the action starts, the action knows
		if e.guest != nil {
			ended = e.guest.Done()
		}
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-ended:
			return e.guestEnded()
		case <-e.set.Failed():
			return errors.New("a probe failed")
		}
	}
}

// guestEnded is the subject's outcome after the action; before it, nothing was done to the guest that it could answer for.
func (e *execution) guestEnded() error {
	reason := "the guest ended by itself in state " + e.state
	if e.acted {
		return &guest.OutcomeError{Reason: reason}
	}
	return errors.New(reason)
}

// collect stops the probes and the workload, and verifies the guest's memory. The load's client goes first: a server that
// stops breaks its connections, and what was still to be answered would count as failed, not as pending.
func (e *execution) collect(ctx context.Context) error {
	// The links are mended first: the guest may be behind them.
	mended := errors.Join(e.mend(), e.allCut())
	return errors.Join(mended, e.stopProbes(), e.verify(ctx), e.action.check(ctx), e.clocks(ctx), e.background(), e.links(ctx))
}

func (e *execution) verify(ctx context.Context) error {
	if e.guest == nil {
		return nil
	}
	var verdict agent.Verdict
	err := e.within(ctx, e.readLimit(writtenBytes(e.trial.Spec)), "verify the guest's memory", func(ctx context.Context) (err error) {
		if _, err = e.agent.Stop(ctx); err != nil {
			return err
		}
		verdict, err = e.agent.Verify(ctx)
		return err
	})
	switch {
	case err != nil && ctx.Err() == nil:
		return unanswered(err, e.rec.alive(time.Now()) == nil)
	case err != nil:
		return err
	}
	return corrupted(verdict)
}

// errLimit is why a step ended that took longer than it may.
var errLimit = errors.New("the step's own limit")

// unanswered is the outcome of a guest that did not say how it is after the action. One whose heart beats was cut off by our
// limit: that is no failure of its own.
func unanswered(err error, alive bool) error {
	if alive && errors.Is(err, errLimit) {
		return fmt.Errorf("the guest lives and did not end its verification: %w", err)
	}
	return &guest.OutcomeError{Reason: "the guest did not answer after the action", Err: err}
}

// corrupted is the outcome of a guest whose memory or disk does not hold what it wrote; nil if both do.
func corrupted(v agent.Verdict) error {
	var what []string
	if v.Corrupt > 0 {
		what = append(what, fmt.Sprintf("memory corrupted: %d pages, first %d", v.Corrupt, v.First))
	}
	if v.DiskCorrupt > 0 {
		what = append(what, fmt.Sprintf("disk corrupted: %d pages", v.DiskCorrupt))
	}
	if len(what) == 0 {
		return nil
	}
	return &guest.OutcomeError{Reason: strings.Join(what, "; ") + ": " + v.Detail}
}

func (e *execution) links(ctx context.Context) error {
	list, err := e.site.Links(ctx)
	if err != nil {
		return fmt.Errorf("ask the links' emulator: %w", err)
	}
	for _, r := range list {
		e.rec.Record(r)
	}
	return nil
}

// within bounds a step; the error says which it was.
func (e *execution) within(ctx context.Context, limit time.Duration, what string, do func(context.Context) error) error {
	bounded, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %s: %w", limit, errLimit))
	defer cancel()
	ended := e.guest.Done() // of this guest: a later step may put another in its place
	failed := make(chan struct{})
	defer close(failed)
	go func() {
		select {
		case <-ended:
			cancel()
		case <-failed:
		}
	}()
	err := do(bounded)
	if err == nil {
		return nil
	}
	select {
	case <-ended:
		return fmt.Errorf("%s: the guest ended by itself: see its console in %s: %w", what, e.dir, err)
	default:
		return fmt.Errorf("%s: %w: see the guest's console in %s", what, err, e.dir)
	}
}
