package qemu

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"
	"virtscope/testbed/guest"
)

// A fakeCopy notes what is asked of a disk's copy.
type fakeCopy struct {
	mu     sync.Mutex
	called []string
	state  func(ctx context.Context) (string, error)
	wait   func(context.Context) error
	last   func(context.Context) error // of the switch-over; nil is none
}

func (f *fakeCopy) note(what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.called = append(f.called, what)
}

func (f *fakeCopy) prepare(context.Context) error { f.note("prepare"); return nil }
func (f *fakeCopy) abandon(context.Context)       { f.note("abandon") }

func (f *fakeCopy) run(ctx context.Context) error {
	state, err := f.state(ctx)
	f.note("run while " + state)
	if f.wait != nil {
		err = f.wait(ctx)
	}
	return err
}

func (f *fakeCopy) switchOver(ctx context.Context) error {
	state, err := f.state(ctx)
	f.note("switch over while " + state)
	if f.last != nil {
		err = f.last(ctx)
	}
	return err
}

// TestDiskHooks moves one guest with a disk that is not there, to see when its copy is called.
func TestDiskHooks(t *testing.T) {
	whole := newTrip(t, nil)
	ready := func(tr *trip, o guest.MigrateOptions, f *fakeCopy) guest.Migration {
		tr.Helper()
		prepared, err := tr.guest.(guest.Migrator).PrepareMigration(tr.within(), tr.destination(), tr.options(o))
		if err != nil {
			tr.Fatal(err)
		}
		m := prepared.(*migration)
		m.disk, f.state = f, m.runState
		if err := m.src.configure(tr.within(), settingsFor(m.options, true).source); err != nil {
			tr.Fatal(err)
		}
		return m
	}
	// QEMU calls the state of a guest that stands still for the switch-over finish-migrate, unless it was paused before.
	for _, c := range []struct{ algorithm, during, end string }{
		{guest.PreCopy, "running", "finish-migrate"},
		{guest.PostCopy, "running", "finish-migrate"},
		{guest.StopAndCopy, "paused", "finish-migrate"},
	} {
		t.Run(c.algorithm, func(t *testing.T) {
			tr := *whole
			tr.T = t
			tr.writes(4e6)
			f := new(fakeCopy)
			if err := ready(&tr, guest.MigrateOptions{Algorithm: c.algorithm}, f).Run(tr.within()); err != nil {
				t.Fatal(err)
			}
			if want := []string{"run while " + c.during, "switch over while " + c.end}; !slices.Equal(f.called, want) {
				t.Errorf("called %q, want %q", f.called, want)
			}
			tr.intact()
		})
	}
	broken := errors.New("no room")
	forever := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for _, c := range []struct {
		name    string
		options guest.MigrateOptions
		run     func(context.Context) error
		fails   bool
	}{
		{"fails", guest.MigrateOptions{Algorithm: guest.PreCopy}, func(context.Context) error { return broken }, true},
		{"takes too long", guest.MigrateOptions{Algorithm: guest.StopAndCopy, Timeout: 200 * time.Millisecond}, forever, true},
		{"is cancelled", guest.MigrateOptions{Algorithm: guest.StopAndCopy, CancelAfter: 200 * time.Millisecond}, forever, false},
		{"loses its destination", guest.MigrateOptions{Algorithm: guest.PreCopy, KillDestinationAfter: 200 * time.Millisecond}, forever, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := *whole
			tr.T = t
			tr.writes(4e6)
			at := tr.source().Name()
			f := &fakeCopy{wait: c.run}
			err := ready(&tr, c.options, f).Run(tr.within())
			var outcome *guest.OutcomeError
			if errors.As(err, &outcome) != c.fails || (err != nil) != c.fails {
				t.Fatalf("error %v", err)
			}
			if !slices.Contains(f.called, "abandon") || len(f.called) != 2 {
				t.Errorf("called %q", f.called)
			}
			if got := tr.source().Name(); got != at {
				t.Errorf("the guest is on %s", got)
			}
			tr.intact()
		})
	}
	// The guest is stopped in pre-switchover then, post-copy or not: only a cancel brings it back.
	refuse := func(context.Context) error { return broken }
	for _, c := range []struct {
		name    string
		options guest.MigrateOptions
		last    func(context.Context) error
		fails   bool
	}{
		{"fails at the end", guest.MigrateOptions{Algorithm: guest.PreCopy}, refuse, true},
		{"fails before post-copy", guest.MigrateOptions{Algorithm: guest.PostCopy}, refuse, true},
		{"hangs at the end", guest.MigrateOptions{Algorithm: guest.PreCopy, Timeout: 5 * time.Second}, forever, true},
		{"hangs before post-copy", guest.MigrateOptions{Algorithm: guest.PostCopy, Timeout: 5 * time.Second}, forever, true},
		{"is cancelled before post-copy", guest.MigrateOptions{Algorithm: guest.PostCopy, CancelAfter: 5 * time.Second}, forever, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := *whole
			tr.T = t
			tr.writes(4e6)
			at := tr.source().Name()
			f := &fakeCopy{last: c.last}
			m := ready(&tr, c.options, f)
			err := m.Run(tr.within())
			var outcome *guest.OutcomeError
			if errors.As(err, &outcome) != c.fails || (err != nil) != c.fails {
				t.Fatalf("error %v", err)
			}
			t.Log(err)
			if len(f.called) != 3 || f.called[2] != "abandon" {
				t.Errorf("called %q", f.called)
			}
			if got := tr.statuses(at); len(got) == 0 || got[len(got)-1] != "cancelled" {
				t.Errorf("the source said %q", got)
			}
			tr.stays(at)
		})
	}
}
