package qemu

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"virtscope/testbed/guest"
)

// A brokenCopy is there until the end, and then fails, or hangs.
type brokenCopy struct{ hangs bool }

func (brokenCopy) prepare(context.Context) error { return nil }
func (brokenCopy) run(context.Context) error     { return nil }
func (brokenCopy) abandon(context.Context)       {}
func (b brokenCopy) switchOver(ctx context.Context) error {
	if b.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	return errors.New("no room")
}

// cancels lets a source end its migration when it is told to, after so long, and go on with the guest.
func cancels(src *scriptedQEMU, status *changing, after time.Duration) {
	src.status = status.get
	src.does("migrate_cancel", func() {
		status.set("cancelling")
		time.AfterFunc(after, func() { src.runsAs("running"); status.set("cancelled"); src.migration("cancelled") })
	})
}

// waitsToSwitch lets a source come to pre-switchover at once, where it stops the guest.
func waitsToSwitch(src *scriptedQEMU, status *changing) func() {
	return func() {
		src.migration("active")
		src.runsAs("finish-migrate")
		src.says(eventStop, "")
		status.set("pre-switchover")
		src.migration("pre-switchover")
	}
}

// A disk that fails at the switch-over leaves a source that waits with the guest stopped: it is told to cancel, and the guest
// runs on.
func TestDiskFailsAtTheSwitchOver(t *testing.T) {
	m, src, _, _ := scripted(t, guest.MigrateOptions{Algorithm: guest.PreCopy, Timeout: time.Minute})
	m.disk = brokenCopy{}
	status := &changing{now: "setup"}
	cancels(src, status, 0)
	src.does("migrate", waitsToSwitch(src, status))
	begin := time.Now()
	err := m.Run(t.Context())
	wantOutcome(t, err, "no room")
	if strings.Contains(err.Error(), "does not") {
		t.Errorf("the guest runs: %v", err)
	}
	if src.count("migrate_cancel") != 1 || status.get() != "cancelled" {
		t.Errorf("the migration was left %s, cancelled %d times", status.get(), src.count("migrate_cancel"))
	}
	if took := time.Since(begin); took > cancelLimit {
		t.Errorf("took %s: it waited for what nobody had cancelled", took)
	}
}

// A timeout between the request for post-copy and its begin cancels: nothing is lost yet.
func TestTimeoutBeforePostCopyBegan(t *testing.T) {
	for _, o := range []guest.MigrateOptions{{Timeout: 300 * time.Millisecond}, {Timeout: time.Minute, CancelAfter: 300 * time.Millisecond}} {
		o.Algorithm = guest.PostCopy
		m, src, _, log := scripted(t, o)
		m.disk = brokenCopy{hangs: true}
		status := &changing{now: "setup"}
		cancels(src, status, 0)
		src.does("migrate", func() { src.migration("active") })
		src.does("migrate-start-postcopy", waitsToSwitch(src, status))
		err := m.Run(t.Context())
		switch {
		case o.CancelAfter > 0 && err != nil:
			t.Error(err)
		case o.CancelAfter == 0:
			wantOutcome(t, err, "timed out after 300ms")
			if strings.Contains(err.Error(), "cannot be cancelled") {
				t.Errorf("post-copy had not begun: %v", err)
			}
		}
		if src.count("migrate_cancel") != 1 || src.count("migrate-start-postcopy") != 1 {
			t.Errorf("the source heard %q", src.heard)
		}
		if o.CancelAfter > 0 && !slices.Contains(faultKinds(log), "src cancel") {
			t.Errorf("faults %q", faultKinds(log))
		}
	}
}

// Nothing is cancelled once the source says that post-copy has begun, though its event was not read yet.
func TestPostCopyBeganUnheard(t *testing.T) {
	m, src, _, _ := scripted(t, guest.MigrateOptions{Algorithm: guest.PostCopy, Timeout: 300 * time.Millisecond})
	status := &changing{now: "active"}
	cancels(src, status, 0)
	src.does("migrate", func() { src.migration("active") })
	src.does("migrate-start-postcopy", func() { status.set("postcopy-active") })
	wantOutcome(t, m.Run(t.Context()), "timed out after 300ms", "cannot be cancelled")
	if src.count("migrate_cancel") != 0 {
		t.Error("a post-copy was cancelled")
	}
}

// A cancel that post-copy was faster than is said to be too late, and the migration has its time.
func TestCancelThatCameTooLate(t *testing.T) {
	m, src, dst, _ := scripted(t, guest.MigrateOptions{Algorithm: guest.PostCopy, Timeout: time.Minute, CancelAfter: 200 * time.Millisecond})
	src.does("migrate", func() { src.migration("active") })
	src.does("migrate_cancel", func() {
		src.migration("postcopy-active")
		dst.says(eventResume, "")
		time.AfterFunc(100*time.Millisecond, func() { src.migration("completed") })
	})
	wantOutcome(t, m.Run(t.Context()), "could not be cancelled after 200ms: post-copy had begun")
}

// What a source that does not end its migration says of the guest is asked for, not assumed.
func TestMigrationThatDoesNotEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for cancelLimit (leave out -short)")
	}
	t.Parallel()
	m, src, _, _ := scripted(t, guest.MigrateOptions{Algorithm: guest.PreCopy, Timeout: 100 * time.Millisecond})
	src.does("migrate", func() { src.migration("active") })
	begin := time.Now()
	err := m.Run(t.Context())
	wantOutcome(t, err, "timed out after 100ms", "did not end within 10s of being cancelled")
	if strings.Contains(err.Error(), "does not say") || src.count("query-status") == 0 {
		t.Errorf("the guest runs at the source: %v", err)
	}
	if took := time.Since(begin); took > 2*cancelLimit {
		t.Errorf("waited twice: %s", took)
	}
}

// A source that is done while the destination does not go on is told to only when the destination is gone: two may never run.
func TestTimeoutBetweenCompletedAndResume(t *testing.T) {
	for _, late := range []bool{false, true} {
		m, src, dst, log := scripted(t, guest.MigrateOptions{Algorithm: guest.PreCopy, Timeout: 200 * time.Millisecond})
		status := &changing{now: "active"}
		src.status = status.get
		src.does("migrate", func() {
			src.migration("active")
			src.says(eventStop, "")
			src.runsAs("postmigrate")
			status.set("completed")
			src.migration("completed")
		})
		src.does("cont", func() {
			select {
			case <-dst.proc.Done():
			default:
				t.Error("the source goes on while the destination may")
			}
		})
		if late { // the guest is resumed just before the destination is ended
			end := dst.proc.end
			dst.proc.end = func() { dst.says(eventResume, ""); end() }
		}
		err := m.Run(t.Context())
		wantOutcome(t, err, "timed out after 200ms")
		if late {
			wantOutcome(t, err, "had been resumed at the destination")
		}
		if n := src.count("cont"); n != map[bool]int{false: 1, true: 0}[late] {
			t.Errorf("late %v: the source was continued %d times", late, n)
		}
		if src.count("migrate_cancel") != 0 || !slices.Contains(faultKinds(log), "dst take-back") {
			t.Errorf("cancelled %d times, faults %q", src.count("migrate_cancel"), faultKinds(log))
		}
	}
}
