package qemu

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/guesttest"
)

var sent = guest.SaveOptions{Format: guest.FormatStream, Stream: "unix:/s"}

// What cannot be saved is refused before anything is told to QEMU.
func TestRefusedSaveLeavesTheGuestAlone(t *testing.T) {
	for name, c := range map[string]struct {
		status string
		grown  bool
		never  bool
	}{
		"grown":    {"none", true, true},
		"migrates": {"active", false, false},
		"postcopy": {"postcopy-active", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			m, src, _, _ := scripted(t, guest.MigrateOptions{})
			src.status = func() string { return c.status }
			m.src.grown.Store(c.grown)
			_, err := m.guest.Save(t.Context(), sent)
			var missing *guest.NotSupportedError
			if err == nil || errors.As(err, &missing) != c.never {
				t.Errorf("error %v", err)
			}
			src.mu.Lock()
			defer src.mu.Unlock()
			for _, command := range src.heard {
				if !strings.HasPrefix(command, "query-") && command != "qmp_capabilities" {
					t.Errorf("told %s", command)
				}
			}
		})
	}
}

func TestGuestThatGrewOrIsSavedIsNotMigrated(t *testing.T) {
	m, src, _, _ := scripted(t, guest.MigrateOptions{})
	o := guest.MigrateOptions{Algorithm: guest.PreCopy}
	m.src.saves.busy.Lock()
	if _, err := m.guest.PrepareMigration(t.Context(), m.dst.host, o); err == nil || !strings.Contains(err.Error(), "being saved") {
		t.Errorf("while it is saved: %v", err)
	}
	m.src.saves.busy.Unlock()
	m.src.grown.Store(true)
	var missing *guest.NotSupportedError
	if _, err := m.guest.PrepareMigration(t.Context(), m.dst.host, o); !errors.As(err, &missing) {
		t.Errorf("with more vCPUs: %v", err)
	}
	src.mu.Lock()
	defer src.mu.Unlock()
	if len(src.heard) > 0 {
		t.Errorf("told %q", src.heard)
	}
}

// A guest that QEMU itself lets go on has the time of its RESUME.
func TestThawByQEMUHasItsOwnTime(t *testing.T) {
	m, src, _, log := scripted(t, guest.MigrateOptions{})
	s := &saving{guest: m.guest, vm: m.src, options: guest.SaveOptions{Live: true}, disk: &diskSave{}, held: true}
	src.does("migrate", func() {
		src.migration("active")
		src.says(eventResume, "")
		src.migration("completed")
	})
	events, err := s.begin(t.Context(), "unix:/s")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.thawWhenTracked(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.follow(t.Context(), events); err != nil {
		t.Fatal(err)
	}
	got := log.Named(results.CheckpointThaw)
	if len(got) != 1 || got[0].Time != 1e9 || got[0].Attrs["by"] != "qemu" {
		t.Errorf("%+v", got)
	}
}

// A transaction that nobody answered may have been done: its job and its bitmap are looked for, and are no error where they are not.
func TestUnansweredTransactionIsUndone(t *testing.T) {
	for name, c := range map[string]struct {
		refused, answered, done bool
		want                    int // bitmaps removed
	}{
		"refused":    {refused: true, answered: true},
		"unanswered": {want: 1},
		"done":       {done: true, want: 1},
	} {
		t.Run(name, func(t *testing.T) {
			vm, q := newScriptedQEMU(t, "src")
			q.status = func() string { return "none" }
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if c.refused {
				q.refuses["transaction"] = "no"
			}
			if !c.answered {
				q.dumb["transaction"] = true
				q.upon["transaction"] = cancel
			}
			if !c.done {
				q.refuses["block-dirty-bitmap-remove"] = "not found"
			}
			q.returns("query-block-jobs", "[]")
			d := &diskSave{s: &saving{guest: &instance{rec: new(guesttest.Log)}, vm: vm}, job: "j", bitmap: "b"}
			if err := d.begin(ctx); err == nil {
				t.Fatal("it began")
			}
			if err := d.undo(t.Context()); err != nil {
				t.Error(err)
			}
			if got := q.count("block-dirty-bitmap-remove"); got != c.want || q.count("block-job-cancel") != c.want {
				t.Errorf("%d bitmaps removed, heard %q", got, q.heard)
			}
		})
	}
}

// The bitmap from which the next increment goes on is that of a save of which all succeeded: a reset that fails comes before it.
func TestSaveThatCannotBeResetDoesNotCount(t *testing.T) {
	vm, q := newScriptedQEMU(t, "src")
	vm.saves.bitmap = "before"
	s := &saving{guest: &instance{rec: new(guesttest.Log)}, vm: vm, disk: &diskSave{bitmap: "after"}}
	s.disk.s = s
	q.returns("query-migrate-capabilities", "[]")
	q.refuses["migrate-set-capabilities"] = "busy"
	if err := s.keep(t.Context(), new(guest.Saved)); err == nil {
		t.Error("it is kept")
	}
	if vm.saves.bitmap != "before" || q.count("block-dirty-bitmap-remove") != 0 {
		t.Errorf("the next increment goes on from %s; heard %q", vm.saves.bitmap, q.heard)
	}
	delete(q.refuses, "migrate-set-capabilities")
	s.options.Disk = t.TempDir()
	if err := s.keep(t.Context(), new(guest.Saved)); err != nil || vm.saves.bitmap != "after" {
		t.Errorf("%v; goes on from %s", err, vm.saves.bitmap)
	}
	if !slices.Contains(q.heard, "block-dirty-bitmap-remove") {
		t.Error(fmt.Sprint(q.heard))
	}
}
