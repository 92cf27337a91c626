package qemu

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
)

var _ guest.Saver = (*instance)(nil)

// saves is what a QEMU keeps from one save of its guest to the next.
type saves struct {
	busy   sync.Mutex
	speech sync.Mutex // held while nothing may be said to the agent
	n      int        // saves with a disk so far: names bitmaps and jobs
	bitmap string     // has what was written to the disk since the last save with it; "" if there was none
	schema schema     // of this QEMU; nil until it was asked
}

// A saving is one Save on its way.
type saving struct {
	guest   *instance
	vm      *machine
	options guest.SaveOptions
	schema  schema

	ran       bool      // the guest ran when the save began, so that it runs on after it
	held      bool      // it was told to stop, and not yet to go on
	itself    bool      // QEMU lets it go on by itself, and says so
	migrating bool      // the migration that writes it was begun
	disk      *diskSave // nil where the disk is left out
	state     *intake   // nil but for memory-file
}

// Save implements guest.Saver.
//
// Without Live the guest stands still from CheckpointFreeze to CheckpointThaw, while its memory is written. QEMU gives its
// disk up at the end of that (it says completed) and takes it back when the guest goes on. From QEMU 10.0 on it can be told to take it
// back before (blockdev-set-active): the copy of the disk then begins at that moment, with the guest still stopped, and goes on
// beside the guest. An older one copies the disk first, and the guest waits for that too.
//
// With Live, QEMU stops the guest by itself to save its devices, and records of CheckpointFreeze and CheckpointThaw have the
// times of its STOP and RESUME. With a disk the guest is told to stop, so that the disk's copy begins at the same state.
//
// While the copy goes on beside the guest, what the guest overwrites is copied first. Where that fails for want of room, QEMU
// stops the guest; it is told to go on when the copy is gone.
//
// QEMU 7.2 was seen to leave a guest hanging, though it says that it runs, after a live save that failed: the error says so.
//
// A ctx that is done by its deadline is an *guest.OutcomeError.
func (i *instance) Save(ctx context.Context, o guest.SaveOptions) (guest.Saved, error) {
	vm := i.running()
	if !vm.saves.busy.TryLock() {
		return guest.Saved{}, errors.New("save the guest: it is being saved already")
	}
	defer vm.saves.busy.Unlock()
	s := &saving{guest: i, vm: vm, options: o}
	if err := s.refuse(ctx); err != nil {
		return guest.Saved{}, fmt.Errorf("save the guest on %s: %w", vm.host.Name(), s.why(ctx, err))
	}
	saved, err := s.run(ctx)
	if err != nil {
		return guest.Saved{}, fmt.Errorf("save the guest on %s: %w", vm.host.Name(), errors.Join(s.why(ctx, err), s.undo(ctx)))
	}
	return saved, nil
}

func (s *saving) run(ctx context.Context) (saved guest.Saved, err error) {
	if err := s.prepare(ctx); err != nil {
		return saved, err
	}
	if s.options.Live {
		saved.MemoryBytes, err = s.live(ctx)
	} else {
		saved, err = s.still(ctx)
	}
	if err != nil {
		return saved, err
	}
	err = s.keep(ctx, &saved)
	return saved, err
}

// keep leaves QEMU as it was, and last lets the next increment go on from here: from a save of which all succeeded.
func (s *saving) keep(ctx context.Context, saved *guest.Saved) error {
	err := s.reset(ctx)
	if err == nil && s.disk != nil {
		saved.DiskBytes, err = s.disk.finish(ctx)
	}
	return err
}

// prepare does what the guest need not stand still for.
func (s *saving) prepare(ctx context.Context) error {
	status, err := (&migration{src: s.vm}).runState(ctx)
	if err != nil {
		return err
	}
	s.ran = status == "running"
	if !s.ran && s.options.Live {
		return fmt.Errorf("the guest is %s: save it without live", status)
	}
	if err := s.vm.configure(ctx, saveSettings(s.options)); err != nil {
		return err
	}
	if s.options.Format == guest.FormatMemoryFile {
		if s.state, err = takeIn(strings.TrimSuffix(s.vm.files.qmp, ".qmp")+".state", s.options.State); err != nil {
			return err
		}
	}
	if s.options.Disk == "" {
		return nil
	}
	s.disk, err = newDiskSave(ctx, s)
	return err
}

// still saves a guest that stands still.
func (s *saving) still(ctx context.Context) (saved guest.Saved, err error) {
	if err := s.freeze(ctx); err != nil {
		return saved, err
	}
	early := s.disk != nil && !s.schema.has("blockdev-set-active")
	if early {
		if err := s.disk.copyAll(ctx); err != nil {
			return saved, err
		}
	}
	if saved, err = s.dumpQuietly(ctx); err != nil {
		return saved, err
	}
	if s.disk != nil && !early {
		if err := s.vm.mon.Execute(ctx, "blockdev-set-active", map[string]bool{"active": true}, nil); err != nil {
			return saved, err
		}
		if err := s.disk.begin(ctx); err != nil {
			return saved, err
		}
	}
	if !s.options.StayStopped {
		if err := s.thaw(ctx); err != nil {
			return saved, err
		}
	}
	if s.disk != nil && !early {
		err = s.disk.await(ctx)
	}
	return saved, err
}

// freeze stops the guest, if it runs, and returns when it stands still.
func (s *saving) freeze(ctx context.Context) error {
	if !s.ran {
		return nil
	}
	events := s.vm.mon.eventsFromNow(ctx)
	s.note(results.CheckpointFreeze, time.Now().UnixNano(), nil)
	s.held = true
	if err := s.vm.mon.Execute(ctx, "stop", nil, nil); err != nil {
		return err
	}
	return awaitEvent(ctx, events, eventStop)
}

// thaw lets a guest that was stopped go on, and returns when it runs.
func (s *saving) thaw(ctx context.Context) error {
	if !s.held {
		return nil
	}
	events := s.vm.mon.eventsFromNow(ctx)
	s.note(results.CheckpointThaw, time.Now().UnixNano(), nil)
	if err := s.vm.mon.Execute(ctx, "cont", nil, nil); err != nil {
		return err
	}
	s.held = false
	return awaitEvent(ctx, events, eventResume)
}

func awaitEvent(ctx context.Context, events <-chan event, name string) error {
	for e := range events {
		if e.Event == name {
			return nil
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return errEnded
}

// note records an event of the checkpoint.
func (s *saving) note(name string, at int64, attrs map[string]string) {
	s.guest.rec.Record(results.Record{Time: at, Host: s.vm.host.Name(), Source: results.SourceQMP, Name: name, Attrs: attrs})
}

func bytesAttr(n int64) map[string]string {
	return map[string]string{"bytes": strconv.FormatInt(n, 10)}
}

// reset takes back what the save set, so that the guest can be migrated or saved in any other way.
func (s *saving) reset(ctx context.Context) error {
	return s.vm.configure(ctx, side{map[string]bool{}, map[string]any{}})
}
