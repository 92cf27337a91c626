package runner

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// look is the time between two looks at what tells nobody when it changes.
const look = 5 * time.Millisecond

// A life is that of one instance of the guest, from when it answers until it counts as failed.
type life struct {
	a       *recovery
	g       guest.Instance
	begin   time.Time // it answered: the time to the next failure counts from here
	watched time.Time // its silence counts from here, at the earliest
	saveAt  time.Time // its first checkpoint

	protected chan struct{} // closed when there is a checkpoint that outlives this life's failure

	mu       sync.Mutex
	held     bool // a checkpoint holds the guest still: its silence is no sign
	safe     bool // protected is closed
	detected bool
	failure  int // the number of the failure that was injected; 0: none
	struck   chan struct{}
	over     chan struct{} // closed when no checkpoint is to begin any more
	mendLink func(context.Context) error
}

// newLife is the life of the guest, which runs since then.
func (a *recovery) newLife(runs, begin, watched time.Time) *life {
	l := &life{
		a: a, g: a.e.guest, begin: begin, watched: watched, saveAt: runs,
		protected: make(chan struct{}), struck: make(chan struct{}), over: make(chan struct{}),
	}
	if a.latest() != "" && !a.exposed() {
		l.protect()
		l.saveAt = runs.Add(time.Duration(a.ask.Period)) // what it began with is saved
	}
	return l
}

// exposed reports whether a guest that was restarted has no checkpoint yet that it could be restarted from when its host fails too:
// the one that it came from lies there.
func (a *recovery) exposed() bool {
	return a.ask.Restart == onOther && (a.ask.Failure == results.FaultKillHost || a.ask.Failure == results.FaultCutLink)
}

// protect notes that there is a checkpoint that outlives this life's failure.
func (l *life) protect() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.safe {
		l.safe = true
		close(l.protected)
	}
}

// A detection is that a guest counts as failed.
type detection struct {
	n int // the failure that was injected before; 0: it is a false alarm
}

// live watches the guest while it is saved and a failure is injected. It returns nil without an error when the observation is over.
func (l *life) live(ctx context.Context) (*detection, error) {
	inner, stop := context.WithCancel(ctx)
	defer stop()
	saving, void := context.WithCancel(inner)
	defer void()
	failed := make(chan error, 2)
	var parts sync.WaitGroup
	part := func(do func() error) {
		parts.Go(func() {
			if err := do(); err != nil {
				failed <- err
			}
		})
	}
	part(func() error { return l.checkpoints(saving) })
	if l.a.ask.Failures > 0 {
		part(func() error { return l.inject(inner, void) })
	}
	found, err := l.watch(inner, failed)
	close(l.over)
	if found != nil || err != nil {
		stop()
	}
	parts.Wait() // a checkpoint that is under way at the end of an observation counts
	close(failed)
	for other := range failed {
		err = errors.Join(err, other)
	}
	return found, err
}

// watch returns when the guest counts as failed, a part of its life fails, or the observation is over.
func (l *life) watch(ctx context.Context, failed <-chan error) (*detection, error) {
	ask := l.a.ask
	var over, undetected <-chan time.Time
	if ask.Failures == 0 {
		over = time.After(time.Until(l.a.begin.Add(time.Duration(ask.For))))
	}
	var ended <-chan struct{}
	if ask.Detect == byProcess {
		ended = l.g.Done()
	}
	struck := l.struck
	for {
		wait, silent := l.silence(time.Now())
		if ask.Detect != byProcess && wait <= 0 {
			return l.detect(silent), nil
		}
		timer := time.NewTimer(max(wait, look))
		select {
		case <-ended:
			return l.detect(silent), nil
		case <-struck:
			struck, undetected = nil, time.After(time.Duration(ask.Timeout))
		case <-undetected:
			return nil, &guest.OutcomeError{Reason: fmt.Sprintf("failure %d was not detected by %s within %s", l.injected(), ask.Detect, ask.Timeout)}
		case <-over:
			return nil, nil
		case err := <-failed:
			return nil, err
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-timer.C:
		}
		timer.Stop()
	}
}

// silence is how much longer the guest may be silent before it counts as failed, and for how long it has been.
func (l *life) silence(now time.Time) (wait, silent time.Duration) {
	by := l.a.ask.Detect
	if by == byProcess {
		by = byHeartbeat // of which the record tells
	}
	last := l.a.e.rec.signs.at(by)
	if from := l.watchedFrom(now); last.Before(from) {
		last = from
	}
	silent = now.Sub(last)
	if l.a.ask.Detect == byProcess {
		return time.Second, silent
	}
	return time.Duration(l.a.ask.DetectAfter) - silent, silent
}

// watchedFrom is since when silence counts.
func (l *life) watchedFrom(now time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held {
		return now
	}
	return l.watched
}

// hold says that a checkpoint is about to stop the guest, as whoever watches it is told. Release, which is idempotent, lets silence
// count again from then on: the guest was let go, or the checkpoint came to nothing.
func (l *life) hold() (release func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = true
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.held, l.watched = false, time.Now()
	})
}

// detect makes the guest count as failed, from now on. A failure that was not injected by now is none of it.
func (l *life) detect(silent time.Duration) *detection {
	l.mu.Lock()
	l.detected = true
	n := l.failure
	at := time.Now()
	l.mu.Unlock()
	attrs := map[string]string{
		"n": strconv.Itoa(n), "by": l.a.ask.Detect, "silent": strconv.FormatFloat(silent.Seconds(), 'g', -1, 64),
	}
	if n == 0 {
		delete(attrs, "n")
		attrs["false"] = "true"
	}
	l.a.e.record(at, results.FailureDetected, attrs)
	return &detection{n}
}

func (l *life) injected() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failure
}

// checkpoints saves the guest once a period, one checkpoint at a time, until ctx is done. A failure voids what is under way.
func (l *life) checkpoints(ctx context.Context) error {
	period := time.Duration(l.a.ask.Period)
	for due := l.saveAt; l.wait(ctx, due); due = l.skip(due.Add(period)) {
		l.a.saves++
		n := l.a.saves
		err := bounded(ctx, time.Duration(l.a.ask.Timeout), fmt.Sprintf("checkpoint %d", n), func(ctx context.Context) error {
			thawed := func() {}
			if l.a.ask.Save.Mode == "stop" {
				thawed = l.hold()
				defer thawed()
			}
			id, err := l.a.kept.Save(ctx, l.g, n, thawed, l.a.e.rec)
			if id != "" {
				l.a.complete(id)
				l.protect()
			}
			return err
		})
		if err != nil && (ctx.Err() != nil || l.injected() > 0 || l.died(ctx)) {
			return nil //nolint:nilerr // the guest failed, and whoever watches it will see
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// died reports whether the guest has ended by itself. A save may see it a little earlier.
func (l *life) died(ctx context.Context) bool {
	select {
	case <-l.g.Done():
		return true
	case <-ctx.Done():
		return true
	case <-time.After(time.Second):
		return false
	}
}

// wait reports whether the time has come for a checkpoint.
func (l *life) wait(ctx context.Context, due time.Time) bool {
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-l.over:
	case <-timer.C:
		return ctx.Err() == nil
	}
	return false
}

// skip leaves out the periods that began while a checkpoint was under way. It returns when the next one is due.
func (l *life) skip(due time.Time) time.Time {
	now := time.Now()
	for ; due.Before(now); due = due.Add(time.Duration(l.a.ask.Period)) {
		l.a.e.record(now, results.CheckpointSkipped, map[string]string{
			"period": strconv.Itoa(int(due.Sub(l.saveAt)/time.Duration(l.a.ask.Period)) + 1),
		})
	}
	return due
}

// inject injects one failure, when its time has come and there is a checkpoint that outlives it. Void ends the checkpoint that is under way.
func (l *life) inject(ctx context.Context, void func()) error {
	if !sleep(ctx, time.Until(l.begin.Add(l.a.delay()))) {
		return nil
	}
	select {
	case <-l.protected:
	case <-ctx.Done():
		return nil
	}
	l.mu.Lock()
	if l.detected || ctx.Err() != nil {
		l.mu.Unlock()
		return nil
	}
	l.failure = l.a.recovered + 1
	n := l.failure
	l.mu.Unlock()
	close(l.struck)
	// Who detects it must not cut it off in the middle.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Duration(l.a.ask.Timeout))
	defer cancel()
	err := l.strike(ctx, n)
	void()
	if err != nil {
		return fmt.Errorf("inject failure %d: %w", n, err)
	}
	if l.a.ask.Failure == results.FaultCutLink {
		return nil
	}
	select {
	case <-l.g.Done():
		l.a.e.record(time.Now(), results.FailureEffective, map[string]string{"n": strconv.Itoa(n)})
		return nil
	case <-ctx.Done():
		return fmt.Errorf("inject failure %d: the hypervisor runs on after %s", n, l.a.ask.Failure)
	}
}

// strike is the n-th failure.
func (l *life) strike(ctx context.Context, n int) error {
	e, h := l.a.e, l.g.Host()
	attrs := map[string]string{"n": strconv.Itoa(n), "kind": l.a.ask.Failure, "host": h.Name()}
	switch l.a.ask.Failure {
	case results.FaultKillGuest:
		return e.kill(l.g, results.FailureInjected, attrs)
	case results.FaultKillHost:
		return e.inflict(results.FailureInjected, attrs, func() error { return e.site.KillHost(ctx, h) })
	case results.FaultCutLink:
		return e.inflict(results.FailureInjected, attrs, func() error { return l.cut(ctx, h) })
	}
	return fmt.Errorf("the runner knows no failure %q", l.a.ask.Failure)
}

// cut cuts the host's link until mend.
func (l *life) cut(ctx context.Context, h host.Host) error {
	e := l.a.e
	restore, err := e.site.Cut(ctx, lanLink, h)
	if err != nil {
		return fmt.Errorf("cut the link of %s: %w", h.Name(), err)
	}
	attrs := map[string]string{"link": lanLink, "host": h.Name()}
	e.record(time.Now(), results.LinkDown, attrs)
	l.mendLink = func(ctx context.Context) error {
		if err := restore(ctx); err != nil {
			return fmt.Errorf("mend the link of %s: %w", h.Name(), err)
		}
		e.record(time.Now(), results.LinkUp, attrs)
		return nil
	}
	return nil
}

// mend mends what this life's failure cut, once. The life must be over.
func (l *life) mend(ctx context.Context) error {
	do := l.mendLink
	if do == nil {
		return nil
	}
	l.mendLink = nil
	return do(ctx)
}
