package runner

import (
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
	"virtscope/testbed/guest/agent"
)

// jobList is the trace's jobs in the order of their arrival.
var jobList = func(j spec.Jobs) ([]job, error) {
	all, err := j.List()
	if err != nil {
		return nil, err
	}
	var list []job
	for _, t := range all {
		list = append(list, job{ID: t.Number, Submit: t.Submit, Work: t.Run, Memory: t.Memory, Queue: t.Queue})
	}
	return list, nil
}

// startJob gives a guest a job, or the one that it runs already once more.
var startJob = func(ctx context.Context, c *agent.Client, j agent.Job) (<-chan agent.JobDone, error) {
	return c.Job(ctx, j)
}

// jobs is the action of serving a trace of jobs by guests that are started on demand. One goroutine keeps the schedule and
// records what happens; what takes time runs beside it and tells it how it ended.
type jobs struct {
	e     *execution
	crowd crowd
	spec  spec.Jobs

	begin    time.Time
	schedule schedule
	beside   sync.WaitGroup
	news     chan func() // what has happened, for the goroutine of the schedule
	over     chan struct{}
	up       map[*leased]*worker
	left     map[int]job // jobs that have not ended, by ID
	saves    int
	alive    int // as recorded last
	held     int
	failed   []string // jobs, and why
	faults   []error  // ours
}

// A worker is a guest that is up.
type worker struct {
	instance guest.Instance
	dead     bool // it ended by itself while it was checkpointed
}

func newJobs(e *execution) *jobs {
	return &jobs{e: e, crowd: crowd{e: e}, spec: *e.trial.Spec.Action.Jobs}
}

// attrs implements action.
func (a *jobs) attrs() map[string]string {
	return map[string]string{
		"cap": strconv.Itoa(a.spec.Cap), "hosts": strconv.Itoa(a.spec.Hosts), "preempt": a.spec.Preempt,
		"keep-alive": formatted(time.Duration(a.spec.KeepAlive)), "start": a.e.trial.Spec.Guest.Start,
	}
}

func formatted(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }

// ready implements action: the fleet was prepared in the trial's state boot.
func (a *jobs) ready(context.Context) error { return nil }

// run implements action. It returns when every job is done or has failed, or at its timeout, and has then ended the guests. A
// job that fails does not keep others from being served: check says so.
func (a *jobs) run(ctx context.Context) error {
	list, err := jobList(a.spec)
	if err != nil {
		return fmt.Errorf("serve jobs: %w", err)
	}
	a.prepare(list)
	limit := time.Duration(a.spec.Timeout)
	bounded, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not done within %s of the action's begin", limit))
	defer cancel()
	a.serve(bounded, list)
	expired := context.Cause(bounded)
	cancel()
	a.stop()
	if ctx.Err() != nil { // it was not the jobs' fault
		return fmt.Errorf("serve jobs: %w", context.Cause(ctx))
	}
	for _, j := range list {
		if _, waits := a.left[j.ID]; waits {
			a.fail(j.ID, expired)
		}
	}
	return a.endAll()
}

func (a *jobs) prepare(list []job) {
	a.begin, a.news, a.over = time.Now(), make(chan func()), make(chan struct{})
	a.up, a.left = make(map[*leased]*worker), make(map[int]job)
	for _, j := range list {
		a.left[j.ID] = j
	}
	a.schedule = schedule{
		cap: a.spec.Cap, keepAlive: time.Duration(a.spec.KeepAlive), preempts: a.spec.Preempt == "checkpoint",
		hosts: min(max(1, a.spec.Hosts), len(a.e.site.Fleet().Hosts())), need: a.need,
	}
}

// memoryStep is what a guest's memory is a multiple of: a huge page.
const memoryStep = 2 << 20

// need is the memory of a guest for a job. A guest that was saved has what it was saved with.
func (a *jobs) need(j job) int64 {
	if a.e.trial.Spec.Guest.Start == "warm" {
		return int64(a.e.trial.Spec.Guest.Memory)
	}
	b := int64(spec.GuestFloor) + j.Memory
	return (b + memoryStep - 1) / memoryStep * memoryStep
}

func (a *jobs) now() time.Duration { return time.Since(a.begin) }

// serve keeps the schedule until no job is left or ctx is done.
func (a *jobs) serve(ctx context.Context, list []job) {
	arrived := 0
	for {
		for ; arrived < len(list) && list[arrived].Submit <= a.now(); arrived++ {
			a.arrive(list[arrived], arrived)
		}
		for _, c := range a.schedule.decide(a.now()) {
			a.do(ctx, c)
		}
		a.count()
		if arrived == len(list) && a.schedule.over() {
			return
		}
		wake := time.NewTimer(a.untilNext(list[arrived:]))
		select {
		case happened := <-a.news:
			happened()
		case <-wake.C:
		case <-ctx.Done():
			wake.Stop()
			return
		}
		wake.Stop()
	}
}

// untilNext is how long nothing happens by itself.
func (a *jobs) untilNext(coming []job) time.Duration {
	at := a.now() + time.Hour
	if len(coming) > 0 {
		at = min(at, coming[0].Submit)
	}
	if expires, any := a.schedule.wake(); any {
		at = min(at, expires)
	}
	return max(0, at-a.now())
}

// tell gives news to the goroutine of the schedule, unless that is over.
func (a *jobs) tell(happened func()) {
	select {
	case a.news <- happened:
	case <-a.over:
	}
}

// stop waits for all that runs beside, whose context is done.
func (a *jobs) stop() {
	close(a.over)
	a.beside.Wait()
}

func (a *jobs) arrive(j job, arrival int) {
	attrs := map[string]string{"runtime": formatted(j.Work)}
	if j.Memory > 0 {
		attrs["memory"] = strconv.FormatInt(j.Memory, 10)
	}
	if j.Queue >= 0 {
		attrs["queue"] = strconv.Itoa(j.Queue)
	}
	a.record(a.begin.Add(j.Submit), results.JobArrived, j.ID, attrs)
	a.schedule.arrive(j, arrival)
}

// record records something of a job.
func (a *jobs) record(at time.Time, name string, id int, attrs map[string]string) {
	attrs["job"] = strconv.Itoa(id)
	a.e.record(at, name, attrs)
}

// count records how many guests are alive and jobs wait, when it has changed.
func (a *jobs) count() {
	for _, c := range []struct {
		name string
		last *int
		now  int
	}{{results.GuestsAlive, &a.alive, a.schedule.alive()}, {results.JobsWaiting, &a.held, a.schedule.held()}} {
		if *c.last == c.now {
			continue
		}
		*c.last = c.now
		a.e.rec.Record(results.Record{
			Time: time.Now().UnixNano(), Host: Controller, Source: results.SourceRunner, Name: c.name, Value: float64(c.now), Unit: results.One,
		})
	}
}

// fail notes that a job has failed.
func (a *jobs) fail(id int, err error) {
	delete(a.left, id)
	a.record(time.Now(), results.JobFailed, id, map[string]string{"error": err.Error()})
	a.failed = append(a.failed, fmt.Sprintf("job %d: %v", id, err))
}

// endAll ends the guests that are left.
func (a *jobs) endAll() error {
	err := a.crowd.endAll()
	for _, g := range slices.Clone(a.schedule.guests) {
		if g.why == "" {
			g.why = endOver
		}
		a.gone(g)
	}
	a.count()
	if err != nil {
		return fmt.Errorf("end guests: %w", err)
	}
	return nil
}

// check implements action.
func (a *jobs) check(context.Context) error {
	roll := rollCall{e: a.e}
	return errors.Join(a.failures(), errors.Join(a.faults...), roll.outcome(a.e.rec.identityConflicts()))
}

// failures is the outcome of jobs that were not done.
func (a *jobs) failures() error {
	if len(a.failed) == 0 {
		return nil
	}
	why := a.failed
	if more := len(why) - namedFailures; more > 0 {
		why = append(why[:namedFailures:namedFailures], fmt.Sprintf("and %d more", more))
	}
	return &guest.OutcomeError{Reason: fmt.Sprintf("%d jobs failed: %s", len(a.failed), strings.Join(why, "; "))}
}
