package main

import (
	"errors"
	"fmt"
	"sync"
	"syscall"
	"unsafe"
	"virtscope/testbed/guest/agent"
)

// A worker does jobs (agent.Job), one at a time, beside the workload.
type worker struct {
	say func(agent.JobDone)
	// begin runs first on a job's thread.
	begin func()

	mu   sync.Mutex
	id   int            // of the job that runs, or ran last
	runs bool           // it runs
	done *agent.JobDone // what was said of it
}

// take begins a job and returns. The job that runs, or ran last, is not done again: somebody asks for it anew who was not there
// when it began, or ended.
func (w *worker) take(j *agent.Job) error {
	if j == nil {
		return errors.New("take job: the request has none")
	}
	if j.Work < 0 || j.Memory < 0 {
		return fmt.Errorf("take job %d: work %d ns, memory %d B: want at least 0", j.ID, j.Work, j.Memory)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.runs && w.id == j.ID:
		return nil
	case w.runs:
		return fmt.Errorf("take job %d: job %d runs: wait for its end", j.ID, w.id)
	case w.done != nil && w.id == j.ID:
		w.say(*w.done)
		return nil
	}
	var r *region
	if j.Memory > 0 {
		var err error
		if r, err = mapRegion("memory of job", j.Memory, uint64(j.ID), layoutFor(0), true); err != nil {
			return fmt.Errorf("take job %d: %w", j.ID, err)
		}
	}
	w.id, w.runs, w.done = j.ID, true, nil
	go w.do(*j, r)
	return nil
}

// do works on a thread of its own, whose CPU time is the measure: writing the memory counts, checking it does not.
func (w *worker) do(j agent.Job, r *region) {
	w.begin() // locks the thread, which then ends with this goroutine
	start := threadTime()
	if r != nil {
		r.fill()
	}
	state := uint64(j.ID)
	for threadTime()-start < j.Work {
		for range loopSteps {
			state = next(state)
		}
	}
	sink.Store(state)
	done := agent.JobDone{ID: j.ID, Worked: threadTime() - start}
	if r != nil {
		done.Bad, _ = r.wrongPages()
		r.release()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.runs, w.done = false, &done
	w.say(done)
}

const clockThreadCPU = 3 // linux/time.h: CLOCK_THREAD_CPUTIME_ID

// threadTime is the calling thread's CPU time in ns, as the guest's kernel counts it.
func threadTime() int64 {
	var ts syscall.Timespec
	_, _, _ = syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockThreadCPU, uintptr(unsafe.Pointer(&ts)), 0)
	return ts.Nano()
}
