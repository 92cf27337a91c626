package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"virtscope/experiments/spec"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// A boot is the action of starting guests, each of which is timed until it is ready.
type boot struct {
	e     *execution
	crowd crowd
	spec  spec.Boot

	mu     sync.Mutex
	up     []*booted
	failed []*booted
}

// A booted guest is one that was asked for.
type booted struct {
	n        int
	name     string
	instance guest.Instance
	err      error // why it is not ready
}

func newBoot(e *execution) *boot {
	return &boot{e: e, crowd: crowd{e: e}, spec: *e.trial.Spec.Action.Boot}
}

// bootTimes are the arrivals of guests, from the action's begin.
var bootTimes = spec.Boot.ArrivalTimes

// attrs implements action.
func (a *boot) attrs() map[string]string {
	return map[string]string{
		"guests": strconv.Itoa(a.spec.Guests), "hosts": strconv.Itoa(a.spec.Hosts), "arrivals": a.spec.Arrivals,
		"concurrency": strconv.Itoa(a.spec.Concurrency), "ready": a.spec.Ready, "start": a.e.trial.Spec.Guest.Start,
	}
}

// ready implements action: the fleet was prepared in the trial's state boot.
func (a *boot) ready(context.Context) error { return nil }

// run implements action. It returns when every guest is ready or failed. A guest that fails does not keep the others from
// being measured: check says so.
func (a *boot) run(ctx context.Context) error {
	times, err := bootTimes(a.spec, seed(a.e.trial))
	if err != nil {
		return fmt.Errorf("boot guests: %w", err)
	}
	limit := time.Duration(a.spec.Timeout)
	bounded, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not ready within %s of the action's begin", limit))
	defer cancel()
	a.startAll(bounded, time.Now(), times)
	if ctx.Err() != nil { // it was not the guests' fault
		return fmt.Errorf("boot guests: %w", context.Cause(ctx))
	}
	return nil
}

// startAll starts guests at their times, in order, no more at once than may be on their way, and waits for all.
func (a *boot) startAll(ctx context.Context, begin time.Time, times []time.Duration) {
	asked := make(chan int, len(times))
	go func() {
		defer close(asked)
		for n, at := range times {
			// One whose time never came was not asked for; run's context is over then.
			if !sleep(ctx, time.Until(begin.Add(at))) {
				return
			}
			a.recordAsked(n, begin.Add(at)) // a busy runner is late to see an arrival, which is not
			asked <- n
		}
	}()
	slots := make(chan struct{}, cmp.Or(a.spec.Concurrency, len(times)))
	var all sync.WaitGroup
	for n := range asked {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done(): // held back to the end
			a.ended(&booted{n: n, name: a.e.site.Fleet().Name(n), err: context.Cause(ctx)})
			continue
		}
		all.Go(func() {
			defer func() { <-slots }()
			a.ended(a.start(ctx, n))
		})
	}
	all.Wait()
	for n := a.count(); n < len(times); n++ {
		never := fmt.Errorf("its arrival at %s did not come: %w", times[n], context.Cause(ctx))
		a.ended(&booted{n: n, name: a.e.site.Fleet().Name(n), err: never})
	}
}

func (a *boot) hostOf(n int) host.Host {
	hosts := a.e.site.Fleet().Hosts()
	return hosts[n%min(max(1, a.spec.Hosts), len(hosts))]
}

// start takes one guest to its first answer.
func (a *boot) start(ctx context.Context, n int) *booted {
	fleet := a.e.site.Fleet()
	b := &booted{n: n, name: fleet.Name(n)}
	h := a.hostOf(n)
	a.record(time.Now(), results.BootBegin, n, map[string]string{"host": h.Name()})
	b.instance, b.err = fleet.Start(ctx, n, h, 0, a.e.rec)
	if b.err != nil {
		b.err = causeOf(ctx, b.err)
		return b
	}
	a.crowd.add(b.instance)
	waiting, release := untilEnded(ctx, b.instance)
	defer release()
	b.err = causeOf(waiting, fleet.Await(waiting, n, a.e.rec))
	return b
}

func (a *boot) recordAsked(n int, at time.Time) {
	a.record(at, results.BootAsked, n, map[string]string{"start": a.e.trial.Spec.Guest.Start, "host": a.hostOf(n).Name()})
}

func (a *boot) record(at time.Time, name string, n int, attrs map[string]string) {
	attrs[results.AttrGuest] = a.e.site.Fleet().Name(n)
	a.e.record(at, name, attrs)
}

// ended notes how a guest's start ended.
func (a *boot) ended(b *booted) {
	if b.err != nil {
		a.record(time.Now(), results.BootFailed, b.n, map[string]string{"error": b.err.Error()})
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if b.err != nil {
		a.failed = append(a.failed, b)
		return
	}
	a.up = append(a.up, b)
}

func (a *boot) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.up) + len(a.failed)
}

// check implements action: it asks every guest who it is and how its system started, and what the guests take of memory.
func (a *boot) check(ctx context.Context) error {
	roll := rollCall{e: a.e}
	slices.SortFunc(a.up, func(x, y *booted) int { return x.n - y.n })
	for _, b := range a.up {
		roll.add(b.n, b.name, b.instance)
	}
	called := roll.call(ctx)
	measured := a.e.site.Fleet().Measure(ctx, a.e.rec)
	if measured != nil {
		measured = fmt.Errorf("measure the guests' memory: %w", measured)
	}
	roll.askUnits(ctx)
	return errors.Join(a.failures(), called, measured)
}

// namedFailures is how many failures are told with their reasons.
const namedFailures = 3

// failures is the outcome of guests that are not ready.
func (a *boot) failures() error {
	if len(a.failed) == 0 {
		return nil
	}
	slices.SortFunc(a.failed, func(x, y *booted) int { return x.n - y.n })
	var why []string
	for i, b := range a.failed {
		if i == namedFailures {
			why = append(why, fmt.Sprintf("and %d more", len(a.failed)-i))
			break
		}
		why = append(why, b.name+": "+b.err.Error())
	}
	return &guest.OutcomeError{
		Reason: fmt.Sprintf("%d of %d guests did not get ready: %s", len(a.failed), a.spec.Guests, strings.Join(why, "; ")),
	}
}
