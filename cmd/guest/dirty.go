package main

import (
	"sync/atomic"
	"virtscope/testbed/guest/agent"
)

// batch is how many pages are written between two looks at the clock.
const batch = 64

// dirty rewrites the region's pages at the meter's rate until stop.
func dirty(r *region, choose func() int, m *meter, stop *atomic.Bool) {
	p := pacer{meter: m}
	for !stop.Load() {
		pages := int64(batch)
		if m.rate > 0 {
			pages = min(batch, p.due(mono()))
		}
		for range pages {
			r.rewrite(choose())
		}
		m.written.Add(pages * pageSize)
		if pages == 0 {
			now := mono()
			sleepUntil(now - now%slot + slot)
		}
	}
}

// chooser returns the function that picks the next page of n.
func chooser(w *agent.Workload, n int) func() int {
	state := mix(w.Seed)
	random := func(n int) int {
		// The high half of a product maps 32 random bits to n with a bias below n/2^32 (Lemire 2019).
		state = next(state)
		return int(word(state) >> 32 * uint64(n) >> 32)
	}
	switch w.Pattern {
	case patternRandom:
		return func() int { return random(n) }
	case patternHotSpot:
		hot := max(1, n/10)
		return func() int {
			if n == hot || random(10) > 0 {
				return random(hot)
			}
			return hot + random(n-hot)
		}
	default:
		at := -1
		return func() int {
			at++
			if at == n {
				at = 0
			}
			return at
		}
	}
}
