package main

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
	"virtscope/testbed/guest/agent"
)

// A part is a workload of one kind, ready to run.
type part struct {
	meter *meter
	busy  int // threads that it keeps busy
	// run works until stop is set, or ends by itself.
	run func(stop *atomic.Bool)
	// interrupt makes run look at stop; nil is that it looks by itself. Without a run it gives back what the part holds.
	interrupt func()
	keeper    keeper // nil keeps nothing
}

// discard gives back a part that will not run.
func (p *part) discard() {
	if p.interrupt != nil {
		p.interrupt()
	}
	if p.keeper != nil {
		p.keeper.release()
	}
}

// prepareAll makes the parts of w, which was checked. On an error none is left.
func (s *server) prepareAll(w *agent.Workload) (parts []*part, err error) {
	all := w.Parts
	if w.Kind != kindMix {
		all = []agent.Workload{*w}
	}
	for i := range all {
		if all[i].Kind == kindIdle {
			continue
		}
		p, err := s.prepare(&all[i])
		if err != nil {
			for _, made := range parts {
				made.discard()
			}
			return nil, err
		}
		p.meter.kind = all[i].Kind
		parts = append(parts, p)
	}
	return parts, nil
}

func (s *server) prepare(w *agent.Workload) (*part, error) {
	if err := s.system.runs(w.Kind); err != nil {
		return nil, err
	}
	switch w.Kind {
	case kindDirty, kindReplay:
		return s.prepareMemory(w)
	case kindCPU:
		return s.prepareCPU(w), nil
	case kindDisk:
		return s.prepareDisk(w)
	case kindKV:
		return s.prepareKV(w, agent.KVPort)
	case kindNet:
		return s.prepareNet(w, netPorts{agent.RequestPort, agent.StreamPort, agent.BulkPort})
	case kindRedis:
		return s.prepareRedis()
	}
	return nil, fmt.Errorf("no such kind: %q", w.Kind)
}

func (s *server) prepareMemory(w *agent.Workload) (*part, error) {
	m := &meter{unit: pageSize}
	if w.Rate > 0 {
		m.pace = constant(w.Rate)
	}
	if w.Kind == kindReplay {
		trace, err := newReplay(w.Trace)
		if err != nil {
			return nil, err
		}
		m.pace = trace
	}
	l := layoutFor(w.Compressibility).withDelta(w.DeltaSize)
	r, err := newRegion("working set", w.WorkingSet, w.Seed, l, false)
	if err != nil {
		return nil, err
	}
	run := func(stop *atomic.Bool) {
		s.yieldToAgent()
		dirty(r, chooser(w, len(r.pages)), m, stop)
	}
	return &part{meter: m, busy: 1, run: run, keeper: r}, nil
}

func (s *server) prepareCPU(w *agent.Workload) *part {
	m := &meter{}
	threads, load := w.Threads, w.Load
	if threads == 0 {
		threads = cpus()
	}
	if load == 0 {
		load = 1
	}
	run := func(stop *atomic.Bool) { burn(threads, load, &m.ops, stop, s.yieldToAgent) }
	return &part{meter: m, busy: threads, run: run}
}

// A job is a running workload.
type job struct {
	meters meters
	parts  []*part
	quit   atomic.Bool
	ended  []chan struct{} // of each part
}

// startJob starts the parts, all at one time.
func startJob(parts []*part) *job {
	j := &job{meters: meters{start: mono()}, parts: parts}
	busy := 0
	for _, p := range parts {
		busy += p.busy
		p.meter.start = j.meters.start
		j.meters.add(p.meter)
	}
	setProcs(busy)
	for _, p := range parts {
		ended := make(chan struct{})
		j.ended = append(j.ended, ended)
		go func() {
			defer close(ended)
			p.run(&j.quit)
		}()
	}
	return j
}

// stopTime is how long a part may take to end: a disk may be lost, and a write to it never return.
const stopTime = 60 * time.Second

// stop ends the workload, waits until it has, and returns what it did. It may be called again after an error.
func (j *job) stop() (agent.Progress, error) {
	j.quit.Store(true)
	for _, p := range j.parts {
		if p.interrupt != nil {
			p.interrupt()
		}
	}
	limit := time.After(stopTime)
	for i, ended := range j.ended {
		select {
		case <-ended:
		case <-limit:
			return agent.Progress{}, fmt.Errorf("%s did not end within %v", j.parts[i].meter.kind, stopTime)
		}
	}
	return j.meters.progress(mono()), nil
}

// setProcs gives every busy thread and every thread of the agent a place of its own in Go's scheduler: the
// kernel, which knows their priorities, then decides who runs.
func setProcs(busy int) {
	const agentThreads = 8
	if n := busy + agentThreads; runtime.GOMAXPROCS(0) < n {
		runtime.GOMAXPROCS(n)
	}
}
