package main

import (
	"sync/atomic"
	"time"
	"virtscope/testbed/guest/agent"
)

// A workload that falls behind catches up, but by no more than maxBacklog at once: after a stall it must
// not write a burst that its rate forbids. What it gives up stays in Progress.Late.
const maxBacklog = int64(100 * time.Millisecond)

// slot is how often a paced workload wakes.
const slot = int64(2 * time.Millisecond)

// A meter is what the ticker's thread reads of a running workload.
type meter struct {
	start   int64   // ns, monotonic
	rate    float64 // B/s; 0 is not paced
	written atomic.Int64
}

// progress is the workload's progress at the given time.
func (m *meter) progress(now int64) agent.Progress {
	p := agent.Progress{Dirtied: m.written.Load(), Elapsed: now - m.start}
	if m.rate > 0 {
		p.Late = max(0, p.Elapsed-int64(float64(p.Dirtied)/m.rate*1e9))
	}
	return p
}

// A pacer says when to write. The zero value is not paced.
type pacer struct {
	meter   *meter
	givenUp int64 // ns of the rate that will never be made up for
}

// due returns how many pages to write now: 0 is to wait until the next slot. A negative backlog cannot be.
func (p *pacer) due(now int64) int64 {
	rate, written := p.meter.rate, p.meter.written.Load()
	owed := func() float64 { return rate*float64(now-p.meter.start-p.givenUp)/1e9 - float64(written) }
	behind := int64(owed() / rate * 1e9)
	if behind > maxBacklog {
		p.givenUp += behind - maxBacklog
	}
	return max(0, int64(owed()/pageSize))
}
