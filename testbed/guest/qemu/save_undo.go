package qemu

import (
	"context"
	"errors"
	"fmt"
	"time"
	"virtscope/testbed/guest"
)

// undoLimit bounds how long a QEMU may take to be as it was before a save that failed.
const undoLimit = 30 * time.Second

// why tells the subject's own failures from others.
func (s *saving) why(ctx context.Context, err error) error {
	var outcome *guest.OutcomeError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &guest.OutcomeError{Reason: "it was not saved in time", Err: context.Cause(ctx)}
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &outcome):
		return err
	case errors.Is(err, errEnded), errors.Is(err, ErrMonitorClosed):
		return &guest.OutcomeError{Reason: "qemu ended while the guest was saved", Err: err}
	}
	return err
}

// undo ends what a save that failed left behind, and lets the guest run on. It works on a context that may be done.
func (s *saving) undo(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoLimit)
	defer cancel()
	if s.state != nil {
		s.state.close()
	}
	select {
	case <-s.vm.mon.Done():
		return nil // there is nothing left to undo
	default:
	}
	var errs []error
	if s.migrating {
		errs = append(errs, s.letGo(ctx))
	}
	if s.disk != nil {
		errs = append(errs, s.disk.undo(ctx))
	}
	if s.ran {
		errs = append(errs, s.goOn(ctx))
	}
	errs = append(errs, s.reset(ctx))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("leave the guest as it was: %w", err)
	}
	return nil
}

// letGo cancels the migration if it goes on, and waits for its end. While a live save's reader does not read, nobody writes to the
// guest's memory, QEMU's main loop neither: then only the end of the connection helps (QAPI yank).
func (s *saving) letGo(ctx context.Context) error {
	for asked := false; ; sleep(ctx, 20*time.Millisecond) {
		bounded, cancel := context.WithTimeout(ctx, answerLimit)
		info, err := queryMigrate(bounded, s.vm.mon)
		cancel()
		switch {
		case err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
			bounded, cancel := context.WithTimeout(ctx, answerLimit)
			_ = s.vm.mon.executeOutOfBand(bounded, "yank", map[string]any{"instances": []any{map[string]string{"type": "migration"}}})
			cancel()
			continue
		case err != nil:
			return err
		case info.Status == nil || ended(*info.Status):
			return nil
		case asked:
			continue
		}
		asked = true
		bounded, cancel = context.WithTimeout(ctx, answerLimit)
		err = s.vm.mon.Execute(bounded, "migrate_cancel", nil, nil)
		cancel()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
	}
}

// goOn sees to it that the guest runs. QEMU says that a migration failed before it lets the guest go on, so that it is asked for a while.
func (s *saving) goOn(ctx context.Context) error {
	for until := time.Now().Add(resumeLimit); ; sleep(ctx, 20*time.Millisecond) {
		status, err := (&migration{src: s.vm}).runState(ctx)
		switch {
		case err != nil:
			return err
		case status == "running":
			return nil
		case status == "finish-migrate" && time.Now().Before(until):
			continue
		}
		if err := s.vm.mon.Execute(ctx, "cont", nil, nil); err != nil {
			return fmt.Errorf("the guest is %s and does not go on: %w", status, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}
