package runner

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
	"virtscope/experiments/spec"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// What a guest can be restored on.
const (
	onSame  = "same"
	onOther = "other"
)

// elsewhere is the host on which a guest is restored that ran on h.
func (e *execution) elsewhere(h host.Host, where string) host.Host {
	if where != onOther {
		return h
	}
	if h.Name() == e.site.Destination().Name() {
		return e.site.Source()
	}
	return e.site.Destination()
}

// vault is the site's, for a guest that can be saved, and killed where the action does that.
func (e *execution) vault(kills bool) (Vault, error) {
	v := e.site.Vault()
	missing := func(what string) error {
		return &guest.NotSupportedError{Feature: what, Where: "driver " + e.site.Driver().Name(), Remedy: "choose another driver"}
	}
	if v == nil {
		return nil, missing("to keep a saved guest")
	}
	if _, ok := e.guest.(guest.Saver); !ok {
		return nil, missing("to save a guest")
	}
	if _, ok := e.guest.(guest.Killer); !ok && kills {
		return nil, missing("to kill a guest")
	}
	return v, nil
}

// savingAttrs say how a guest is saved.
func savingAttrs(s spec.Saving) map[string]string {
	return map[string]string{
		"mode": s.Mode, "format": s.Format, "to": s.To, "compression": s.Compression, "disk": s.Disk, "load": s.Load, "keep": strconv.Itoa(s.Keep),
	}
}

// bounded does what the subject must have done in time: later is its outcome.
func bounded(ctx context.Context, limit time.Duration, what string, do func(context.Context) error) error {
	late := &guest.OutcomeError{Reason: fmt.Sprintf("%s was not done within %s", what, limit)}
	inner, cancel := context.WithTimeoutCause(ctx, limit, late)
	defer cancel()
	err := do(inner)
	switch {
	case err == nil:
		return nil
	case inner.Err() != nil && ctx.Err() == nil:
		return fmt.Errorf("%w: %w", late, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// revive makes the trial's guest anew from a checkpoint, in place of the one before, which is closed already, and returns when its
// agent answers. It records RestartBegin, RestartEnd and, when the guest has spoken, GuestRestored, each with attrs.
func (e *execution) revive(ctx context.Context, v Vault, id string, h host.Host, attrs map[string]string) error {
	e.record(time.Now(), results.RestartBegin, attrs)
	e.rec.restored.await(attrs)
	instance, err := v.Restore(ctx, id, h, e.rec)
	if err != nil {
		return err
	}
	if err := e.adopt(instance); err != nil {
		return err
	}
	if _, err := e.agent.Hello(ctx); err != nil {
		if ended(instance) {
			return &guest.OutcomeError{Reason: "the restored guest ended by itself: see its console in " + e.dir, Err: err}
		}
		return fmt.Errorf("greet the restored guest: %w", err)
	}
	e.record(time.Now(), results.RestartEnd, attrs)
	return nil
}

func ended(g guest.Instance) bool {
	select {
	case <-g.Done():
		return true
	default:
		return false
	}
}

// kill kills the guest and records that it did, with name, from before it to after it.
func (e *execution) kill(g guest.Instance, name string, attrs map[string]string) error {
	killer, ok := g.(guest.Killer)
	if !ok {
		return errors.New("the guest cannot be killed")
	}
	return e.inflict(name, attrs, killer.Kill)
}

// inflict does harm and records it: when it began, and by how much later it may have taken effect.
func (e *execution) inflict(name string, attrs map[string]string, harm func() error) error {
	at := time.Now()
	err := harm()
	attrs["bound"] = strconv.FormatFloat(time.Since(at).Seconds(), 'g', -1, 64)
	e.record(at, name, attrs)
	return err
}
