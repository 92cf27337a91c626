package main

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"virtscope/testbed/guest/agent"
)

// The kinds and patterns of agent.Workload.
const (
	kindIdle  = "idle"
	kindDirty = "dirty"
	kindCPU   = "cpu"

	patternSequential = "sequential"
	patternRandom     = "random"
	patternHotSpot    = "hot-spot"
)

// check reports everything that is wrong with w.
func check(w *agent.Workload) error {
	if w == nil {
		return errors.New("start workload: the request has none")
	}
	var errs []error
	refuse := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	switch w.Kind {
	case kindIdle, kindCPU, kindDirty:
	default:
		refuse("kind %q: want idle, dirty or cpu", w.Kind)
	}
	switch w.Pattern {
	case "", patternSequential, patternRandom, patternHotSpot:
	default:
		refuse("pattern %q: want sequential, random or hot-spot", w.Pattern)
	}
	if w.Kind == kindDirty && w.WorkingSet < pageSize {
		refuse("working set %d B: want at least a page, %d B", w.WorkingSet, pageSize)
	}
	if !(w.Rate >= 0) { // not a number is refused too
		refuse("rate %v B/s: want 0 or more", w.Rate)
	}
	if !(w.Compressibility >= 0 && w.Compressibility <= 1) {
		refuse("compressibility %v: want 0 to 1", w.Compressibility)
	}
	if !(w.Load >= 0 && w.Load <= 1) {
		refuse("load %v: want 0 to 1", w.Load)
	}
	if w.Threads < 0 || w.Threads > 4096 {
		refuse("threads %d: want 0 to 4096", w.Threads)
	}
	if len(errs) > 0 {
		return fmt.Errorf("start workload: %w", errors.Join(errs...))
	}
	return nil
}

// A job is a running workload.
type job struct {
	meter *meter
	quit  atomic.Bool
	ended chan struct{}
}

// startJob starts w, which was checked. For dirty, r is its working set, filled. Each of the job's threads
// runs begin first.
func startJob(w *agent.Workload, r *region, begin func()) *job {
	j := &job{meter: &meter{start: mono(), rate: w.Rate}, ended: make(chan struct{})}
	switch w.Kind {
	case kindDirty:
		go func() {
			defer close(j.ended)
			begin()
			dirty(r, chooser(w, len(r.pages)), j.meter, &j.quit)
		}()
	case kindCPU:
		threads, load := w.Threads, w.Load
		if threads == 0 {
			threads = runtime.NumCPU()
		}
		if load == 0 {
			load = 1
		}
		setProcs(threads)
		j.meter.rate = 0
		go func() {
			defer close(j.ended)
			burn(threads, load, &j.quit, begin)
		}()
	default:
		j.meter.rate = 0
		close(j.ended)
	}
	return j
}

// stop ends the workload, waits until it has, and returns what it did.
func (j *job) stop() agent.Progress {
	j.quit.Store(true)
	<-j.ended
	return j.meter.progress(mono())
}

// setProcs gives every busy thread and every thread of the agent a place of its own in Go's scheduler: the
// kernel, which knows their priorities, then decides who runs.
func setProcs(busy int) {
	const agentThreads = 8
	if n := busy + agentThreads; runtime.GOMAXPROCS(0) < n {
		runtime.GOMAXPROCS(n)
	}
}
