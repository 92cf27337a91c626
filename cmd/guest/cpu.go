package main

import (
	"sync"
	"sync/atomic"
	"time"
)

// cpuPeriod is the period in which a thread is busy for its load and then sleeps.
const cpuPeriod = int64(10 * time.Millisecond)

// burn keeps n threads busy for a share load (0–1) of each period until stop, and counts their loops. Each thread runs
// begin first.
func burn(n int, load float64, loops *atomic.Int64, stop *atomic.Bool, begin func()) {
	var threads sync.WaitGroup
	for range n {
		threads.Go(func() {
			begin()
			burnOne(load, loops, stop)
		})
	}
	threads.Wait()
}

func burnOne(load float64, loops *atomic.Int64, stop *atomic.Bool) {
	busy := int64(load * float64(cpuPeriod))
	begin := mono()
	for !stop.Load() {
		spinUntil(begin+busy, loops, stop)
		begin += cpuPeriod
		if load < 1 {
			sleepUntil(begin)
		}
		if now := mono(); now-begin > cpuPeriod {
			begin = now // a stall is not made up for
		}
	}
}

// loopSteps is how many steps of a generator a loop has; Part.Ops counts loops.
const loopSteps = 10_000

// sink keeps the compiler from leaving out the work.
var sink atomic.Uint64

func spinUntil(t int64, loops *atomic.Int64, stop *atomic.Bool) {
	state := uint64(t)
	for mono() < t && !stop.Load() {
		for range loopSteps {
			state = next(state)
		}
		loops.Add(1)
	}
	sink.Store(state)
}
