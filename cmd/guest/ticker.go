package main

import (
	"sync/atomic"
	"time"
	"virtscope/testbed/guest/agent"
)

const (
	tickInterval     = int64(time.Millisecond)
	missThreshold    = int64(3 * time.Millisecond)
	beatInterval     = int64(20 * time.Millisecond)
	progressInterval = int64(100 * time.Millisecond)
)

// A ticker looks at the guest's clock each millisecond. It turns a sequence of times into reports and
// knows nothing of threads, so that a test can feed it.
type ticker struct {
	say     func(*report)
	running *atomic.Pointer[meters] // of the workload; nil if none runs

	last         int64 // the last tick
	maxStep      int64 // since the last beat
	seq          int64
	nextBeat     int64
	nextProgress int64
	scratch      report
}

// newTicker returns a ticker whose first step begins now.
func newTicker(now int64, running *atomic.Pointer[meters], say func(*report)) *ticker {
	return &ticker{
		say: say, running: running, last: now,
		nextBeat: after(now, beatInterval), nextProgress: after(now, progressInterval),
	}
}

// tick takes the time of one tick and returns when the next is due. A long step makes one report, not one
// for each tick that it swallowed.
func (t *ticker) tick(now int64) (deadline int64) {
	step := now - t.last
	t.maxStep = max(t.maxStep, step)
	if step > missThreshold {
		t.emit(report{mono: now, kind: reportMiss, miss: agent.TickMiss{Start: t.last, End: now}})
	}
	t.last = now
	if now >= t.nextBeat {
		t.seq++
		t.emit(report{mono: now, kind: reportBeat, beat: agent.Heartbeat{Seq: t.seq, MaxStep: t.maxStep}})
		t.maxStep = 0
		t.nextBeat = after(now, beatInterval)
	}
	if now >= t.nextProgress {
		if m := t.running.Load(); m != nil {
			m.read(now, &t.scratch)
			t.say(&t.scratch)
		}
		t.nextProgress = after(now, progressInterval)
	}
	return after(now, tickInterval)
}

func (t *ticker) emit(r report) {
	t.scratch = r
	t.say(&t.scratch)
}

// after is the first multiple of interval after now.
func after(now, interval int64) int64 { return now - now%interval + interval }

// run ticks for ever.
func (t *ticker) run() {
	for {
		sleepUntil(t.tick(mono()))
	}
}
