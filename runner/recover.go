package runner

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"
	"virtscope/experiments/spec"
	"virtscope/results"
	"virtscope/testbed/guest"
)

// alarmsMost is how many false alarms a trial may have beyond its failures: a detector that goes on like that detects nothing.
const alarmsMost = 10

// A recovery is the action of injecting failures into a guest that is saved periodically, and of recovering from each.
//
// The injector and the recoverer share nothing but the guest: what is detected, is detected by its silence or its end.
type recovery struct {
	e      *execution
	ask    spec.Recover
	kept   Vault
	random *rand.Rand

	begin     time.Time // of the action
	saves     int       // checkpoints that were begun
	recovered int       // failures
	alarms    int       // false ones

	mu    sync.Mutex
	last  string        // the last complete checkpoint
	first chan struct{} // closed when there is one
}

// recoverStream keeps the times of failures apart from whatever else is drawn from a trial's seed.
const recoverStream = 0xfa11

func newRecovery(e *execution, ask spec.Recover) *recovery {
	return &recovery{e: e, ask: ask, random: rand.New(rand.NewPCG(seed(e.trial), recoverStream)), first: make(chan struct{})}
}

// attrs implements action.
func (a *recovery) attrs() map[string]string {
	attrs := savingAttrs(a.ask.Save)
	seconds := func(d spec.Duration) string { return strconv.FormatFloat(time.Duration(d).Seconds(), 'g', -1, 64) }
	attrs["period"], attrs["failures"] = seconds(a.ask.Period), strconv.Itoa(a.ask.Failures)
	if a.ask.Failures > 0 {
		attrs["failure"], attrs["every"], attrs["arrivals"] = a.ask.Failure, seconds(a.ask.Every), a.ask.Arrivals
	}
	attrs["detect"], attrs["detect-after"], attrs["restart"] = a.ask.Detect, seconds(a.ask.DetectAfter), a.ask.Restart
	return attrs
}

// ready implements action.
func (a *recovery) ready(context.Context) (err error) {
	a.kept, err = a.e.vault(a.ask.Failures > 0 && a.ask.Failure == results.FaultKillGuest)
	return err
}

// check implements action.
func (*recovery) check(context.Context) error { return nil }

// run implements action. It ends with the last failure's recovery, or when the guest was observed for as long as was asked.
func (a *recovery) run(ctx context.Context) error {
	if err := a.hears(ctx); err != nil {
		return err
	}
	a.begin = time.Now()
	l := a.newLife(a.begin, a.begin)
	for {
		found, err := l.live(ctx)
		if err != nil || found == nil {
			return err
		}
		if l, err = a.restart(ctx, l, *found); err != nil {
			return err
		}
		if a.ask.Failures > 0 && a.recovered == a.ask.Failures {
			return nil
		}
	}
}

// hears is an error if nothing comes of what the detector listens to while nothing is wrong.
func (a *recovery) hears(ctx context.Context) error {
	err := bounded(ctx, time.Duration(a.ask.Timeout), "to hear the guest", func(ctx context.Context) error { return a.heard(ctx, time.Time{}) })
	if err != nil && ctx.Err() == nil && !ended(a.e.guest) {
		return fmt.Errorf("detect failures by %s: nothing has come of it before the first one", a.ask.Detect)
	}
	return err
}

// delay is for how long after a recovery the next failure waits.
func (a *recovery) delay() time.Duration {
	every := time.Duration(a.ask.Every)
	if a.ask.Arrivals != "poisson" {
		return every
	}
	return time.Duration(a.random.ExpFloat64() * float64(every))
}

// complete notes a checkpoint that can be restored.
func (a *recovery) complete(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.last == "" {
		close(a.first)
	}
	a.last = id
}

func (a *recovery) latest() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last
}

// restart ends what is left of a guest that counts as failed, and brings it back from the last complete checkpoint.
func (a *recovery) restart(ctx context.Context, l *life, found detection) (*life, error) {
	what := fmt.Sprintf("the recovery from failure %d", found.n)
	attrs := map[string]string{"n": strconv.Itoa(found.n)}
	if found.n == 0 {
		a.alarms++
		what, attrs = fmt.Sprintf("the recovery from false alarm %d", a.alarms), map[string]string{"false": "true"}
		if a.alarms > alarmsMost+a.ask.Failures {
			return nil, &guest.OutcomeError{Reason: fmt.Sprintf("the detector raised %d false alarms: set a longer detect-after", a.alarms)}
		}
	}
	var next *life
	err := bounded(ctx, time.Duration(a.ask.Timeout), what, func(ctx context.Context) (err error) {
		next, err = a.bringBack(ctx, l, attrs)
		return err
	})
	if err == nil && found.n > 0 {
		a.recovered++
	}
	return next, err
}

func (a *recovery) bringBack(ctx context.Context, l *life, attrs map[string]string) (*life, error) {
	h := a.e.elsewhere(l.g.Host(), a.ask.Restart)
	if err := l.g.Close(); err != nil { // there must not be two, whatever became of it
		return nil, fmt.Errorf("end the failed guest: %w", err)
	}
	id := a.latest()
	if id == "" {
		return nil, &guest.OutcomeError{Reason: "the guest counted as failed before its first checkpoint"}
	}
	if h.Name() == l.g.Host().Name() {
		if err := l.mend(ctx); err != nil {
			return nil, err
		}
	}
	attrs["host"], attrs[results.AttrCheckpoint] = h.Name(), id
	if err := a.e.revive(ctx, a.kept, id, h, attrs); err != nil {
		return nil, err
	}
	begin := time.Now()
	if err := l.mend(ctx); err != nil {
		return nil, err
	}
	if err := a.heard(ctx, begin); err != nil {
		return nil, err
	}
	return a.newLife(begin, time.Now()), nil
}

// heard waits for the sign of life that the detector listens to: before the first, its silence says nothing.
func (a *recovery) heard(ctx context.Context, since time.Time) error {
	for a.ask.Detect != byProcess && !a.e.rec.signs.at(a.ask.Detect).After(since) {
		if ended(a.e.guest) {
			return &guest.OutcomeError{Reason: "the restored guest ended by itself: see its console in " + a.e.dir}
		}
		if !sleep(ctx, look) {
			return errors.Join(fmt.Errorf("no %s of the restored guest came", a.ask.Detect), context.Cause(ctx))
		}
	}
	return nil
}
