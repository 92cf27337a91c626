package qemu

import (
	"testing"
	"time"
	"virtscope/testbed/guest"
)

// A pause that both ends refused is asked for again when nothing came of it; one that something came of is not.
func TestPauseIsAskedForAgain(t *testing.T) {
	m, src, dst, _ := scripted(t, guest.MigrateOptions{Algorithm: guest.PostCopy, PostCopyRecovery: time.Millisecond})
	src.refuses["migrate-pause"], dst.refuses["migrate-pause"] = "not now", "not now"
	w := m.follow(t.Context())
	active, moved := "postcopy-active", int64(5)
	polls := func(want int, why string) {
		t.Helper()
		now := moved
		if err := w.stuck(t.Context(), MigrationInfo{Status: &active, RAM: &MigrationStats{Transferred: &now}}); err != nil {
			t.Fatal(err)
		}
		if got := src.count("migrate-pause"); got != want || dst.count("migrate-pause") != want {
			t.Errorf("%s: told to pause %d and %d times, want %d", why, got, dst.count("migrate-pause"), want)
		}
	}
	stands := func() { w.recovery.since = w.recovery.since.Add(-time.Second) }
	polls(0, "at first")
	stands()
	polls(1, "nothing moves")
	polls(1, "it may come yet")
	w.recovery.told = w.recovery.told.Add(-recoveryAgain)
	polls(2, "nothing came of it")
	w.recovery.told = w.recovery.told.Add(-recoveryAgain)
	w.recovery.due = make(chan time.Time)
	polls(2, "it paused: the recovery is due")
	w.recovery.due = nil
	moved++
	polls(2, "something moves again")
	if w.recovery.pausing {
		t.Error("it is still taken to pause")
	}
	stands()
	polls(3, "and stands again")
}
