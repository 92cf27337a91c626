package qemu

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"

	"github.com/digitalocean/go-qemu/qmp"
)

const (
	// pollInterval of query-migrate: samples for a curve. Events decide, never the poll.
	pollInterval = 100 * time.Millisecond
	// answerLimit bounds a question to a QEMU whose main loop may hang: the watch must see its timeout all the same.
	answerLimit = 2 * time.Second
	// cancelLimit bounds how long a cancelled migration may take to end.
	cancelLimit = 10 * time.Second
)

// A watch runs one migration and follows it by the events of both ends until it has ended.
type watch struct {
	m        *migration
	src, dst <-chan qmp.Event // dst is nil where there is no destination
	timeout  *time.Timer
	deadline time.Time // when it was due at first

	started      bool // the memory was let go
	srcStopped   bool
	srcCompleted bool
	dstResumed   bool
	dstCompleted bool
	reading      bool                // the destination was told to read the file
	held         bool                // the guest was told to stop at the source, so that it must be told to go on
	continued    bool                // the guest was told to go on at the destination
	arrived      bool                // the instance says that it is there
	giveUp       *guest.OutcomeError // why the migration was cancelled; nil if it was not, or was on purpose
	cancelAsked  bool                // the source was told to cancel
	waitedForEnd bool                // and given the time for it

	copying context.CancelFunc          // ends what the disk does in the background
	copied  chan error                  // what it returned; nil if it does nothing
	after   func(context.Context) error // what comes next

	turn     turn
	postCopy bool // the source cannot take the guest back
	recovery recovery
	faults
}

// follow subscribes before the migration starts, so that no event is missed.
func (m *migration) follow(ctx context.Context) *watch {
	w := &watch{m: m, src: m.src.mon.eventsFromNow(ctx)}
	if m.dst != nil {
		w.dst = m.dst.mon.eventsFromNow(ctx)
	}
	return w
}

// ran reports whether the source is done and the guest runs where it is to be.
func (w *watch) ran() bool {
	return w.srcCompleted && (w.dstResumed || w.m.dst == nil)
}

// run returns nil when the migration ran. It may have done so after it was cancelled: see giveUp.
func (w *watch) run(ctx context.Context) error {
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	limit := w.m.options.Timeout
	if limit <= 0 {
		limit = 1<<63 - 1
	}
	w.timeout, w.deadline = time.NewTimer(limit), time.Now().Add(limit)
	defer w.timeout.Stop()
	w.plan()
	if err := w.begin(ctx); err != nil {
		return err
	}
	for !w.ran() {
		if err := w.step(ctx, poll.C); err != nil {
			return err
		}
	}
	_, err := w.query(ctx, triggerFinal, 0)
	return err
}

func (w *watch) step(ctx context.Context, poll <-chan time.Time) error {
	select {
	case e, open := <-w.src:
		return w.source(ctx, e, open)
	case e, open := <-w.dst:
		return w.destination(ctx, e, open)
	case <-poll:
		return w.sample(ctx)
	case err := <-w.copied:
		return w.copyEnded(ctx, err)
	case <-w.turn.due:
		return w.turnNow(ctx)
	case <-w.recovery.due:
		return w.recover(ctx)
	case <-w.cancelDue:
		return w.cancelOnPurpose(ctx)
	case <-w.killDue:
		return w.killDestination()
	case <-w.timeout.C:
		return w.overdue(ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// begin stops the guest if that comes first, then copies the disk if there is one, then lets the memory go.
func (w *watch) begin(ctx context.Context) error {
	if w.m.options.Algorithm == guest.StopAndCopy {
		if err := w.hold(ctx); err != nil {
			return err
		}
	}
	if w.m.disk == nil {
		return w.start(ctx)
	}
	w.copy(ctx, w.m.disk.run, w.start)
	return nil
}

// hold stops the guest at the source. It goes on at the destination only when it is told to.
func (w *watch) hold(ctx context.Context) error {
	w.held = true
	if err := w.m.src.mon.Execute(ctx, "stop", nil, nil); err != nil {
		return w.m.refused(ctx, err)
	}
	return nil
}

// holdAfter stops the guest, once, in the middle of its migration: what comes is not a stop that the source chose.
func (w *watch) holdAfter(ctx context.Context, rounds int64) error {
	if w.held {
		return nil
	}
	w.m.fault(w.m.src, results.FaultStopGuest, map[string]string{"rounds": strconv.FormatInt(rounds, 10)})
	return w.hold(ctx)
}

// start lets the memory go.
func (w *watch) start(ctx context.Context) error {
	if err := w.m.src.mon.Execute(ctx, "migrate", map[string]string{"uri": w.m.uri}, nil); err != nil {
		return w.m.refused(ctx, err)
	}
	w.started = true
	if d := w.m.options.Switch.After; turnsToPostCopy(w.m.options) && d > 0 {
		w.turn.due = time.After(d)
	}
	return nil
}

func (w *watch) source(ctx context.Context, e qmp.Event, open bool) error {
	if !open {
		return w.m.ended(ctx, w.m.src)
	}
	switch e.Event {
	case eventStop:
		w.srcStopped = true
	case eventResume:
		w.srcStopped = false
	case eventMigrationPass:
		return w.pass(ctx, e)
	case eventMigration:
		return w.sourceStatus(ctx, eventStatus(e))
	}
	return nil
}

// sourceStatus takes the source's word (QAPI MigrationStatus).
func (w *watch) sourceStatus(ctx context.Context, status string) error {
	switch status {
	case "active":
		if turnsToPostCopy(w.m.options) && atOnce(w.m.options.Switch) {
			return w.turnNow(ctx)
		}
	case "pre-switchover":
		if w.m.disk == nil { // somebody passed the capability through
			return w.handOver(ctx)
		}
		w.copy(ctx, w.m.disk.switchOver, w.handOver)
	case "postcopy-active":
		w.postCopy = true
		w.cancelledTooLate()
		w.recovered()
		w.arriveEarly()
	case "postcopy-paused":
		return w.paused()
	case "completed":
		w.srcCompleted = true
		return w.goOn(ctx)
	case "failed", "cancelled":
		return w.failed(ctx, status)
	}
	return nil
}

// goOn does what the destination does not do by itself once the source is done.
func (w *watch) goOn(ctx context.Context) error {
	switch {
	case !w.srcCompleted || w.m.dst == nil:
		return nil
	case w.killed && !w.dstResumed:
		return errKilled
	case w.m.options.Algorithm == guest.MappedRAM && !w.reading:
		w.reading = true
		if err := w.m.listen(ctx); err != nil && ctx.Err() == nil {
			return &guest.OutcomeError{Reason: "the destination does not read the file", Err: err}
		}
	case w.held && w.dstCompleted && !w.continued:
		w.continued = true
		if err := w.m.dst.mon.Execute(ctx, "cont", nil, nil); err != nil {
			return w.m.ended(ctx, w.m.dst)
		}
	}
	return ctx.Err()
}

func (w *watch) destination(ctx context.Context, e qmp.Event, open bool) error {
	if !open {
		w.dst = nil
		if w.sourceDecides() {
			return w.goOn(ctx)
		}
		return w.m.ended(ctx, w.m.dst)
	}
	switch {
	case e.Event == eventResume:
		w.dstResumed = true
		w.arriveEarly()
	case e.Event == eventMigration && eventStatus(e) == "completed":
		w.dstCompleted = true
		return w.goOn(ctx)
	case e.Event == eventMigration && eventStatus(e) == "failed" && !w.sourceDecides():
		return w.failed(ctx, "failed at the destination")
	}
	return nil
}

// sourceDecides reports whether something was done after which the destination fails or ends: what becomes of it, the source says.
func (w *watch) sourceDecides() bool { return w.killed || w.cancelled || w.givingUp() }

func (w *watch) givingUp() bool { return w.giveUp != nil }

// query samples the source's counters. A sample that does not come in time is left out.
func (w *watch) query(ctx context.Context, trigger string, round int64) (MigrationInfo, error) {
	bounded, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	info, err := queryMigrate(bounded, w.m.src.mon)
	switch {
	case err == nil:
		recordInfo(w.m.guest.rec, w.m.src.host.Name(), info, time.Now(), trigger, round)
		return info, nil
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
		return MigrationInfo{}, nil //nolint:nilerr // events decide: the migration goes on without this sample
	}
	return MigrationInfo{}, w.m.ended(ctx, w.m.src)
}

func (w *watch) sample(ctx context.Context) error {
	if !w.started {
		return nil // the disk is being copied
	}
	info, err := w.query(ctx, triggerPoll, 0)
	if err != nil {
		return err
	}
	return w.stuck(ctx, info)
}

// pass begins round n, unless the guest is stopped: the last synchronisation belongs to stop-and-copy.
func (w *watch) pass(ctx context.Context, e qmp.Event) error {
	n, known := eventPass(e)
	if !known {
		return nil
	}
	info, err := w.query(ctx, triggerPass, n)
	if err != nil {
		return err
	}
	if w.srcStopped || w.givingUp() || w.turn.asked {
		return nil
	}
	if w.turnsAt(n, info) {
		return w.turnNow(ctx)
	}
	if p := int64(w.m.options.PauseAfterRounds); p > 0 && n > p {
		return w.holdAfter(ctx, n-1)
	}
	most := int64(w.m.options.MaxRounds)
	if most <= 0 || n <= most {
		return nil
	}
	return w.cancel(ctx, fmt.Sprintf("did not converge: more than %d pre-copy rounds", most))
}
