package qemu

import (
	"context"
	"errors"
	"virtscope/testbed/guest"
)

// copy runs f, of the disk, in the background, and then next.
func (w *watch) copy(ctx context.Context, f, next func(context.Context) error) {
	bounded, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	w.copying, w.copied, w.after = cancel, done, next
	go func() { done <- f(bounded) }()
}

func (w *watch) copyEnded(ctx context.Context, err error) error {
	w.copied = nil // its context goes on: what it began may
	var outcome *guest.OutcomeError
	switch {
	case err == nil:
		return w.after(ctx)
	case ctx.Err() != nil || errors.As(err, &outcome):
		return err
	}
	return &guest.OutcomeError{Reason: "the copy of the disk failed", Err: err}
}

// stopCopying ends what the disk does in the background, and waits for it.
func (w *watch) stopCopying() {
	if w.copied == nil {
		return
	}
	w.copying()
	<-w.copied //nolint:errcheck // it was ended, whatever it says
	w.copied = nil
}

// handOver lets the source go on that waits with the guest stopped.
func (w *watch) handOver(ctx context.Context) error {
	err := w.m.src.mon.Execute(ctx, "migrate-continue", map[string]string{"state": "pre-switchover"}, nil)
	if err != nil {
		return w.m.refused(ctx, err)
	}
	return nil
}
