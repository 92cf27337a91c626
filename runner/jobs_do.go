package runner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/host"
)

// do begins what the schedule wants. What takes time runs beside the schedule's goroutine.
func (a *jobs) do(ctx context.Context, c command) {
	switch c.do {
	case start, restore:
		a.lease(ctx, c)
	case run:
		a.give(ctx, c, false)
	case save:
		a.save(ctx, c)
	case end:
		a.end(c.guest)
	}
}

func (a *jobs) name(g *leased) string { return a.e.site.Fleet().Name(g.n) }

func (a *jobs) hostOf(g *leased) host.Host { return a.e.site.Fleet().Hosts()[g.host] }

// recordGuest records something of a guest.
func (a *jobs) recordGuest(name string, g *leased, more map[string]string) {
	attrs := map[string]string{results.AttrGuest: a.name(g)}
	maps.Copy(attrs, more)
	a.e.record(time.Now(), name, attrs)
}

// lease starts a guest, or restores it.
func (a *jobs) lease(ctx context.Context, c command) {
	g := c.guest
	a.recordGuest(results.GuestLeased, g, map[string]string{"host": a.hostOf(g).Name(), "memory": strconv.FormatInt(g.memory, 10)})
	id := c.job.checkpoint
	a.beside.Go(func() {
		var instance guest.Instance
		var err error
		if c.do == restore {
			instance, err = a.e.site.Vault().Restore(ctx, id, a.hostOf(g), guest.Named(a.e.rec, a.name(g)))
		} else {
			instance, err = a.e.site.Fleet().Start(ctx, g.n, a.hostOf(g), a.asked(g), a.e.rec)
		}
		if err == nil {
			a.crowd.add(instance)
			err = greet(ctx, instance)
		}
		a.tell(func() { a.leased(ctx, c, instance, err) })
	})
}

// asked is the memory to ask for; 0 is the experiment's.
func (a *jobs) asked(g *leased) int64 {
	if a.e.trial.Spec.Guest.Start == "warm" {
		return 0
	}
	return g.memory
}

// greet waits until a guest's agent answers.
func greet(ctx context.Context, g guest.Instance) error {
	client, err := agentOf(g)
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeoutCause(ctx, bootLimit, fmt.Errorf("no answer of its agent within %s", bootLimit))
	defer cancel()
	bounded, release := untilEnded(bounded, g)
	defer release()
	_, err = client.Hello(bounded)
	return causeOf(bounded, err)
}

func (a *jobs) leased(ctx context.Context, c command, instance guest.Instance, err error) {
	g := c.guest
	if instance != nil {
		a.up[g] = &worker{instance: instance}
	}
	if err != nil {
		a.lost(g, fmt.Errorf("start %s: %w", a.name(g), err))
		return
	}
	then := a.schedule.started(g)
	if c.do == restore {
		a.record(time.Now(), results.JobResumed, g.job.ID, map[string]string{results.AttrGuest: a.name(g)})
		a.give(ctx, then, true)
		return
	}
	a.record(time.Now(), results.JobStarted, g.job.ID, map[string]string{results.AttrGuest: a.name(g), "fresh": "true"})
	a.give(ctx, then, true)
}

// lost says that a guest, or what it did, is lost.
func (a *jobs) lost(g *leased, err error) {
	w := a.up[g]
	job, then := a.schedule.failed(g, w != nil)
	if job != nil {
		a.fail(job.ID, err)
	}
	if w == nil {
		a.recordGuest(results.GuestEnded, g, map[string]string{"why": endFailed})
	}
	for _, c := range then {
		a.end(c.guest)
	}
}

// give gives a guest a job and waits beside for its end. Told is whether that it begins was recorded.
func (a *jobs) give(ctx context.Context, c command, told bool) {
	g, j, w := c.guest, c.job, a.up[c.guest]
	if !told {
		a.record(time.Now(), results.JobStarted, j.ID, map[string]string{results.AttrGuest: a.name(g), "fresh": "false"})
	}
	a.beside.Go(func() {
		done, err := work(ctx, w.instance, agent.Job{ID: j.ID, Work: int64(j.Work), Memory: j.Memory})
		at := time.Now()
		if ctx.Err() != nil {
			return // the action is over
		}
		a.tell(func() { a.worked(g, j, w, done, at, err) })
	})
}

// work has a guest do a job.
func work(ctx context.Context, g guest.Instance, j agent.Job) (agent.JobDone, error) {
	client, err := agentOf(g)
	if err != nil {
		return agent.JobDone{}, err
	}
	bounded, release := untilEnded(ctx, g)
	defer release()
	ends, err := startJob(bounded, client, j)
	if err != nil {
		return agent.JobDone{}, causeOf(bounded, err)
	}
	select {
	case done, ok := <-ends:
		if !ok {
			return agent.JobDone{}, errEnded
		}
		return done, nil
	case <-bounded.Done():
		return agent.JobDone{}, context.Cause(bounded)
	}
}

// worked says how a job's work ended. The guest may be gone by then, since its job was preempted.
func (a *jobs) worked(g *leased, j *served, w *worker, done agent.JobDone, at time.Time, err error) {
	if g.job != j || a.up[g] != w {
		return
	}
	if err != nil && g.phase == saving {
		w.dead = true // the checkpoint says whether it was made before
		return
	}
	if err != nil {
		a.lost(g, fmt.Errorf("%s: %w", a.name(g), err))
		return
	}
	a.schedule.done(g, a.now())
	if done.Bad > 0 {
		a.fail(j.ID, fmt.Errorf("%s: %d pages of its memory did not hold what was written", a.name(g), done.Bad))
		return
	}
	delete(a.left, j.ID)
	a.e.rec.Record(results.Record{
		Time: at.UnixNano(), Host: a.hostOf(g).Name(), Source: results.SourceGuest, Name: results.JobEnded, Attrs: map[string]string{
			"job": strconv.Itoa(j.ID), results.AttrGuest: a.name(g), "worked": formatted(time.Duration(done.Worked)),
		},
	})
}

// save checkpoints a guest and ends it, for another job.
func (a *jobs) save(ctx context.Context, c command) {
	g, w := c.guest, a.up[c.guest]
	a.saves++
	n := a.saves
	a.beside.Go(func() {
		id, err := a.e.site.Vault().Save(ctx, w.instance, n, nil, guest.Named(a.e.rec, a.name(g)))
		var ended error
		if err == nil {
			ended = a.crowd.end(w.instance)
		}
		if ctx.Err() != nil {
			return // the action is over
		}
		a.tell(func() {
			a.noteEnd(g, ended)
			a.saved(g, w, c.by, id, err)
		})
	})
}

func (a *jobs) saved(g *leased, w *worker, by *served, id string, err error) {
	if err == nil {
		a.recordGuest(results.GuestEnded, g, map[string]string{"why": endPreempted})
		delete(a.up, g)
		if j := a.schedule.saved(g, id); j != nil {
			a.record(time.Now(), results.JobPreempted, j.ID, map[string]string{results.AttrGuest: a.name(g), "by": strconv.Itoa(by.ID)})
		}
		return
	}
	a.failed = append(a.failed, fmt.Sprintf("checkpoint %s for job %d: %v", a.name(g), by.ID, err))
	if w.dead {
		a.lost(g, errors.Join(errEnded, err))
		return
	}
	a.schedule.unsaved(g, a.now())
}

// end ends a guest beside.
func (a *jobs) end(g *leased) {
	w := a.up[g]
	a.beside.Go(func() {
		err := a.crowd.end(w.instance)
		a.tell(func() {
			a.noteEnd(g, err)
			a.gone(g)
		})
	})
}

// noteEnd notes what went wrong when a guest was ended.
func (a *jobs) noteEnd(g *leased, err error) {
	if err != nil {
		a.faults = append(a.faults, fmt.Errorf("end %s: %w", a.name(g), err))
	}
}

// gone says that a guest has ended.
func (a *jobs) gone(g *leased) {
	a.recordGuest(results.GuestEnded, g, map[string]string{"why": g.why})
	delete(a.up, g)
	a.schedule.gone(g)
}
