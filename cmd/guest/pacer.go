package main

import "time"

// A workload that falls behind catches up, but by no more than was asked of it in this time: after a stall it must not
// write a burst that its rate forbids. What it gives up stays in Progress.Late.
const maxBacklog = int64(100 * time.Millisecond)

// slot is how often a paced workload wakes.
const slot = int64(2 * time.Millisecond)

// A pacer says when to write.
type pacer struct {
	meter   *meter
	givenUp float64 // B of what was asked that will never be made up for
}

// due returns how many units (pages, blocks) to write now: 0 is to wait until the next slot.
func (p *pacer) due(now int64) int64 {
	m := p.meter
	elapsed := now - m.start
	asked := m.pace.asked(elapsed)
	owed := asked - p.givenUp - float64(m.written.Load())
	most := asked - m.pace.asked(max(0, elapsed-maxBacklog)) + float64(m.unit)
	if owed > most {
		p.givenUp += owed - most
		owed = most
	}
	return max(0, int64(owed/float64(m.unit)))
}

// wait sleeps until the next slot begins.
func (p *pacer) wait() {
	now := mono()
	sleepUntil(now - now%slot + slot)
}
