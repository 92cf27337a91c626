package qemu

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/image"
)

// dumpQuietly keeps the guest's memory as it is for as long as it takes to write it and the devices' state one after the other.
func (s *saving) dumpQuietly(ctx context.Context) (guest.Saved, error) {
	if s.options.Format == guest.FormatMemoryFile {
		defer s.vm.quiet(ctx)()
	}
	return s.dump(ctx)
}

// dump writes the memory and the devices' state of a guest that stands still.
func (s *saving) dump(ctx context.Context) (saved guest.Saved, err error) {
	uri := s.options.Stream
	switch s.options.Format {
	case guest.FormatMappedRAM:
		uri = "file:" + s.options.Memory
	case guest.FormatMemoryFile:
		uri = s.state.uri
	}
	events, err := s.begin(ctx, uri)
	if err != nil {
		return saved, err
	}
	ended, err := s.follow(ctx, events)
	if err != nil {
		return saved, err
	}
	if err := s.finalized(ctx); err != nil {
		return saved, err
	}
	at := eventTime(ended)
	switch s.options.Format {
	case guest.FormatMemoryFile:
		if saved.StateBytes, err = s.state.wait(ctx); err != nil {
			return saved, err
		}
		// QEMU is done, and the guest stands still: nobody writes to its memory.
		if err := image.CopySparse(ctx, s.vm.files.memory, s.options.Memory); err != nil {
			return saved, &guest.OutcomeError{Reason: "the memory could not be copied", Err: err}
		}
		at = time.Now().UnixNano()
		fallthrough
	case guest.FormatMappedRAM:
		saved.MemoryBytes, err = takenBytes(s.options.Memory)
	default:
		saved.MemoryBytes, err = s.written(ctx)
	}
	if err != nil {
		return saved, err
	}
	s.note(results.CheckpointDumped, at, bytesAttr(saved.MemoryBytes+saved.StateBytes))
	return saved, nil
}

// begin lets the migration go whose stream is kept.
func (s *saving) begin(ctx context.Context, uri string) (<-chan event, error) {
	events := s.vm.mon.eventsFromNow(ctx)
	s.migrating = true
	return events, s.vm.mon.Execute(ctx, "migrate", map[string]string{"uri": uri}, nil)
}

// follow returns the event that says that the migration is complete. It records its begin, and a stop and a resume that QEMU chose itself.
func (s *saving) follow(ctx context.Context, events <-chan event) (event, error) {
	for e := range events {
		switch {
		case e.Event == eventStop && !s.held:
			s.note(results.CheckpointFreeze, eventTime(e), nil)
		case e.Event == eventResume && s.itself:
			s.note(results.CheckpointThaw, eventTime(e), map[string]string{"by": "qemu"})
		case e.Event != eventMigration:
		case eventStatus(e) == "active":
			s.note(results.CheckpointDump, eventTime(e), nil)
		case eventStatus(e) == "completed":
			return e, nil
		case eventStatus(e) == "failed", eventStatus(e) == "cancelled":
			return e, s.failed(ctx, eventStatus(e))
		}
	}
	if err := ctx.Err(); err != nil {
		return event{}, err
	}
	return event{}, errEnded
}

// finalized waits until the migration is over for QEMU too: it says completed a moment before, and then refuses to let the guest go on.
func (s *saving) finalized(ctx context.Context) error {
	for {
		status, err := (&migration{src: s.vm}).runState(ctx)
		if err != nil || status != "finish-migrate" {
			return err
		}
		sleep(ctx, time.Millisecond)
	}
}

// failed is the outcome after QEMU said so.
func (s *saving) failed(ctx context.Context, status string) error {
	info, err := queryMigrate(ctx, s.vm.mon)
	if err == nil && info.ErrorDesc != nil {
		err = errors.New(*info.ErrorDesc)
	}
	return &guest.OutcomeError{Reason: "the migration that writes it " + status, Err: err}
}

// written is how much QEMU wrote to the stream, in B, by its own count: QEMU 10 counts the devices' state of a live save twice, and 7.2
// leaves that of another out. Who takes the stream knows better.
func (s *saving) written(ctx context.Context) (int64, error) {
	info, err := queryMigrate(ctx, s.vm.mon)
	if err != nil {
		return 0, err
	}
	if info.RAM == nil || info.RAM.Transferred == nil {
		return 0, errors.New("query-migrate does not say how much was written")
	}
	return *info.RAM.Transferred, nil
}

// takenBytes is how much of a file takes room, in B.
func takenBytes(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, errors.New("the file system does not say what " + path + " takes")
	}
	const block = 512 // B, whatever st_blksize is: stat(2)
	return stat.Blocks * block, nil
}
