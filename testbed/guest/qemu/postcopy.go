package qemu

import (
	"context"
	"fmt"
	"strconv"
	"time"
	"virtscope/testbed/guest"
)

// notConverging is the share of what the round before began with from which a round does not converge: guest.PostCopySwitch.
const notConverging = 0.9

// A turn is the change to post-copy.
type turn struct {
	due       <-chan time.Time // nil if no time was set
	asked     bool             // from here on there is no way back
	remaining int64            // B, at the begin of the last round; 0 if unknown
}

// turnsAt reports whether round n (from 1), of which info is a sample at its begin, is to be one of post-copy.
func (w *watch) turnsAt(n int64, info MigrationInfo) bool {
	before := w.turn.remaining
	w.turn.remaining = 0
	if info.RAM != nil && info.RAM.Remaining != nil {
		w.turn.remaining = *info.RAM.Remaining
	}
	when := w.m.options.Switch
	if !turnsToPostCopy(w.m.options) {
		return false
	}
	if when.Rounds > 0 && n > int64(when.Rounds) {
		return true
	}
	return when.NotConverging && n > 1 && before > 0 && float64(w.turn.remaining) >= notConverging*float64(before)
}

// turnNow asks the source to turn to post-copy. It does so at the end of what it sends just now.
func (w *watch) turnNow(ctx context.Context) error {
	w.turn.due = nil
	if w.turn.asked || w.givingUp() || w.cancelled || w.srcStopped || w.srcCompleted {
		return nil
	}
	w.turn.asked = true
	if err := w.m.src.mon.Execute(ctx, "migrate-start-postcopy", nil, nil); err != nil {
		return w.m.refused(ctx, err)
	}
	return nil
}

// arriveEarly says where the guest runs in post-copy, before its memory has followed.
func (w *watch) arriveEarly() {
	if w.postCopy && w.dstResumed {
		w.arrive()
	}
}

// inPostCopy reports whether post-copy has begun. Where it was only asked for, the source is asked, since its event may not
// have been read yet, and a QEMU up to 10.0 cancels a post-copy too: the guest would be lost (migrate_cancel).
func (w *watch) inPostCopy(ctx context.Context) bool {
	if w.postCopy || !w.turn.asked {
		return w.postCopy
	}
	bounded, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	info, err := queryMigrate(bounded, w.m.src.mon)
	if err == nil && info.Status != nil && ofPostCopy(*info.Status) {
		w.postCopy = true
		w.arriveEarly()
	}
	return w.postCopy
}

// ofPostCopy reports whether the source cannot take the guest back in this status (QAPI MigrationStatus).
func ofPostCopy(status string) bool {
	switch status {
	case "postcopy-active", "postcopy-paused", "postcopy-recover-setup", "postcopy-recover":
		return true
	}
	return false
}

// cancelledTooLate forgets a cancel on purpose that post-copy was faster than, and leaves the migration the time that it had.
func (w *watch) cancelledTooLate() {
	if !w.cancelled {
		return
	}
	w.cancelled, w.tooLate = false, tooLateFor("cancelled", w.m.options.CancelAfter)
	w.timeout.Reset(time.Until(w.deadline))
}

// A recovery of a post-copy whose connection broke.
type recovery struct {
	moved   MigrationStats   // what had moved when something last did
	since   time.Time        // then
	pausing bool             // both ends were told to let go of the connection
	told    time.Time        // when they were told to last
	due     <-chan time.Time // of the next attempt; nil if none is needed
	tries   int
}

const (
	// recoverySoon is when to try for the first time: the destination may still be letting go.
	recoverySoon = 200 * time.Millisecond
	// recoveryAgain is when to try again unless something happened.
	recoveryAgain = 3 * time.Second
)

// stuck pauses a post-copy that moves nothing for as long as the options allow.
func (w *watch) stuck(ctx context.Context, info MigrationInfo) error {
	limit := w.m.options.PostCopyRecovery
	if limit <= 0 || info.Status == nil || *info.Status != "postcopy-active" || info.RAM == nil {
		return nil
	}
	r := &w.recovery
	if r.pausing && (r.due != nil || time.Since(r.told) < recoveryAgain) {
		return nil
	}
	if r.since.IsZero() || differs(r.moved.Transferred, info.RAM.Transferred) || differs(r.moved.PageRequests, info.RAM.PageRequests) {
		*r = recovery{moved: *info.RAM, since: time.Now(), tries: r.tries}
		return nil
	}
	if time.Since(r.since) < limit {
		return nil
	}
	r.pausing, r.told = true, time.Now()
	w.m.fault(w.m.src, "pause", nil)
	for _, vm := range []*machine{w.m.src, w.m.dst} {
		// The main loop of a destination may wait for a page that does not come. One that saw the cut by itself refuses. What
		// came of it, the source's events say; if none does, both are told again.
		bounded, cancel := context.WithTimeout(ctx, answerLimit)
		_ = vm.mon.executeOutOfBand(bounded, "migrate-pause", nil)
		cancel()
	}
	return ctx.Err()
}

func differs(a, b *int64) bool { return (a == nil) != (b == nil) || a != nil && *a != *b }

// paused is what comes after the source said postcopy-paused: it lost the connection, or was told to let go of it.
func (w *watch) paused() error {
	if w.killed {
		return errKilled
	}
	if w.m.options.PostCopyRecovery <= 0 {
		return &guest.OutcomeError{Reason: "post-copy lost its connection, and was not to be recovered"}
	}
	w.recovery.pausing = true
	w.recovery.due = time.After(recoverySoon)
	return nil
}

// recover tries once to connect both ends anew.
func (w *watch) recover(ctx context.Context) error {
	w.recovery.tries++
	w.recovery.due = time.After(recoveryAgain)
	w.m.fault(w.m.src, "recover", map[string]string{"attempt": strconv.Itoa(w.recovery.tries)})
	bounded, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	// Either may refuse, since the one before may be under way; what comes of it are events.
	_ = w.m.dst.mon.executeOutOfBand(bounded, "migrate-recover", map[string]string{"uri": w.m.uri})
	_ = w.m.src.mon.Execute(bounded, "migrate", map[string]any{"uri": w.m.uri, "resume": true}, nil)
	return ctx.Err()
}

// recovered is what comes after the source said postcopy-active.
func (w *watch) recovered() { w.recovery = recovery{tries: w.recovery.tries} }

// tooLateFor says why something could not be done.
func tooLateFor(what string, after time.Duration) string {
	return fmt.Sprintf("could not be %s after %s: post-copy had begun", what, after)
}
