package qemu

import (
	"context"
	"time"
	"virtscope/results"
)

// live saves a guest that runs on: memory is written as it was when the devices were saved (QEMU's background-snapshot).
func (s *saving) live(ctx context.Context) (int64, error) {
	s.itself = s.disk == nil
	if s.disk != nil {
		if err := s.freeze(ctx); err != nil {
			return 0, err
		}
		if err := s.disk.begin(ctx); err != nil {
			return 0, err
		}
	}
	events, err := s.begin(ctx, s.options.Stream)
	if err != nil {
		return 0, err
	}
	if s.disk != nil {
		if err := s.thawWhenTracked(ctx); err != nil {
			return 0, err
		}
	}
	ended, err := s.follow(ctx, events)
	if err != nil {
		return 0, err
	}
	bytes, err := s.written(ctx)
	if err != nil {
		return 0, err
	}
	s.note(results.CheckpointDumped, eventTime(ended), bytesAttr(bytes))
	if s.disk == nil {
		return bytes, nil
	}
	return bytes, s.disk.await(ctx)
}

// thawWhenTracked lets the guest go on when QEMU has saved its devices and watches its memory. A QEMU before 8.2 lets it go on by
// itself then; a newer one leaves a guest that was stopped as it was. No event tells: the first page that is written does.
func (s *saving) thawWhenTracked(ctx context.Context) error {
	for {
		info, err := queryMigrate(ctx, s.vm.mon)
		if err != nil {
			return err
		}
		status, err := (&migration{src: s.vm}).runState(ctx)
		switch {
		case err != nil:
			return err
		case status == "running":
			s.held, s.itself = false, true
			return nil // follow has the time of its RESUME
		case info.Status != nil && *info.Status != "completed" && ended(*info.Status):
			return nil // follow says why
		case tracked(info):
			return s.thaw(ctx)
		}
		sleep(ctx, time.Millisecond)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

func tracked(info MigrationInfo) bool {
	if info.Status != nil && *info.Status == "completed" {
		return true
	}
	r := info.RAM
	return r != nil && (r.Normal != nil && *r.Normal > 0 || r.Duplicate != nil && *r.Duplicate > 0)
}
