package qemu

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// resumeLimit bounds how long the source may take to resume a guest by itself.
const resumeLimit = 2 * time.Second

// settle sees to it that the source is done with a migration that did not succeed, and that the guest runs there. Note says
// what had to be done, or why the guest does not run. Each step has a time of its own: one that takes too long leaves the
// next its turn.
func (w *watch) settle(ctx context.Context) (note string, runs bool) {
	status, note, err := w.letGo(ctx)
	if err != nil {
		return "the source does not answer: " + err.Error(), false
	}
	if w.started && ofPostCopy(status) {
		return "post-copy had begun", false
	}
	if w.started && status == "completed" && w.m.dst != nil && w.takeBack(ctx) {
		return "the guest had been resumed at the destination, which was ended: it is lost", false
	}
	more, runs := w.m.resume(ctx)
	switch {
	case note == "":
		note = more
	case more != "":
		note += ", and " + more
	}
	return note, runs
}

// letGo cancels a migration that still goes on, and waits until the source is done with it. Status is the last that it said
// (QAPI MigrationStatus), or empty; note says that it did not end.
func (w *watch) letGo(ctx context.Context) (status, note string, err error) {
	limited, cancel := context.WithTimeout(ctx, cancelLimit)
	defer cancel()
	for asked := w.cancelAsked; ; sleep(limited, 20*time.Millisecond) {
		bounded, cancel := context.WithTimeout(ctx, answerLimit)
		info, err := queryMigrate(bounded, w.m.src.mon)
		cancel()
		if err != nil {
			return "", "", err
		}
		if info.Status == nil {
			return "", "", nil
		}
		switch status = *info.Status; {
		case ended(status), ofPostCopy(status), !w.started:
			return status, "", nil
		case w.waitedForEnd: // the outcome says so
			return status, "", nil
		case limited.Err() != nil:
			return status, fmt.Sprintf("the migration did not end within %s of being cancelled", cancelLimit), nil
		case !asked:
			asked = true
			if err := w.migrateCancel(ctx); err != nil {
				return status, "the migration could not be cancelled: " + err.Error(), nil
			}
		}
	}
}

// takeBack ends the destination of a source that is done, since it may resume the guest at any time, and two would run. It
// reports whether the guest had run there.
func (w *watch) takeBack(ctx context.Context) (resumed bool) {
	if !w.killed {
		w.m.fault(w.m.dst, "take-back", nil)
		_ = w.m.dst.proc.Kill() // an error says that it is gone
	}
	if w.dst == nil {
		return w.dstResumed
	}
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	for {
		select {
		case e, open := <-w.dst: // what it said until its end
			if !open {
				return false
			}
			if e.Event == eventResume {
				return true
			}
		case <-ctx.Done():
			return false
		}
	}
}

// resume continues the guest at the source, unless QEMU does by itself.
func (m *migration) resume(ctx context.Context) (note string, runs bool) {
	ctx, cancel := context.WithTimeout(ctx, resumeLimit+2*answerLimit)
	defer cancel()
	status, err := m.runState(ctx)
	for until := time.Now().Add(resumeLimit); err == nil && status != "paused" && status != "running" && time.Now().Before(until); status, err = m.runState(ctx) {
		sleep(ctx, 20*time.Millisecond) // QEMU resumes the guest after it has said that the migration failed
	}
	if err != nil {
		return "the source does not say whether the guest runs: " + err.Error(), false
	}
	if status == "running" {
		return "", true
	}
	if err := m.src.mon.Execute(ctx, "cont", nil, nil); err != nil {
		return fmt.Sprintf("the guest is %s at the source and does not go on: %s", status, err), false
	}
	m.fault(m.src, "continue", map[string]string{"state": status})
	if status == "paused" { // it was stopped on purpose
		return "", true
	}
	return fmt.Sprintf("the guest was %s at the source and had to be continued", status), true
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// ended reports whether a migration of this status (QAPI MigrationStatus) is over at the source.
func ended(status string) bool {
	switch status {
	case "none", "failed", "cancelled", "completed":
		return true
	}
	return false
}

// runState is the source's QAPI RunState.
func (m *migration) runState(ctx context.Context) (string, error) {
	var reply struct {
		Status *string `json:"status"`
	}
	if err := m.src.mon.Execute(ctx, "query-status", nil, &reply); err != nil {
		return "", err
	}
	if reply.Status == nil {
		return "", errors.New("query-status: no status in the reply")
	}
	return *reply.Status, nil
}
