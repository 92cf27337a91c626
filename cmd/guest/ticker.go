package main

import (
	"sync/atomic"
	"time"
	"virtscope/testbed/guest/agent"
)

const progressInterval = int64(100 * time.Millisecond)

// A rhythm is how often the ticker looks at the clock, the longest step that it does not report, and how often it beats, in ns.
type rhythm struct{ tick, miss, beat int64 }

var (
	// watchful is for a guest whose outage is measured.
	watchful = rhythm{tick: int64(time.Millisecond), miss: int64(3 * time.Millisecond), beat: int64(20 * time.Millisecond)}
	// calm is for one of many: a thousand ticks a second of each would keep an emulating host busy.
	calm = rhythm{tick: int64(100 * time.Millisecond), miss: int64(300 * time.Millisecond), beat: int64(time.Second)}
)

// A ticker looks at the guest's clock at a rhythm. It turns a sequence of times into reports and
// knows nothing of threads, so that a test can feed it.
type ticker struct {
	say     func(*report)
	every   rhythm
	running *atomic.Pointer[meters] // of the workload; nil if none runs

	last         int64 // the last tick
	maxStep      int64 // since the last beat
	seq          int64
	nextBeat     int64
	nextProgress int64
	scratch      report
}

// newTicker returns a ticker whose first step begins now.
func newTicker(now int64, every rhythm, running *atomic.Pointer[meters], say func(*report)) *ticker {
	return &ticker{
		say: say, every: every, running: running, last: now,
		nextBeat: after(now, every.beat), nextProgress: after(now, progressInterval),
	}
}

// tick takes the time of one tick and returns when the next is due. A long step makes one report, not one
// for each tick that it swallowed.
func (t *ticker) tick(now int64) (deadline int64) {
	step := now - t.last
	t.maxStep = max(t.maxStep, step)
	if step > t.every.miss {
		t.emit(report{mono: now, kind: reportMiss, miss: agent.TickMiss{Start: t.last, End: now}})
	}
	t.last = now
	if now >= t.nextBeat {
		t.seq++
		t.emit(report{mono: now, kind: reportBeat, beat: agent.Heartbeat{Seq: t.seq, MaxStep: t.maxStep}})
		t.maxStep = 0
		t.nextBeat = after(now, t.every.beat)
	}
	if now >= t.nextProgress {
		if m := t.running.Load(); m != nil {
			m.read(now, &t.scratch)
			t.say(&t.scratch)
		}
		t.nextProgress = after(now, progressInterval)
	}
	return after(now, t.every.tick)
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
