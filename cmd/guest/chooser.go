package main

import (
	"math"
	"virtscope/testbed/guest/agent"
)

// What a workload's zero values stand for; see agent.Workload.
const (
	defaultHotShare  = 0.1
	defaultHotWrites = 0.9
	defaultZipf      = 0.99
)

// chooser returns the function that picks the next page of n: runs of neighbouring pages, of which the pattern
// chooses. The last run is short where the pages do not fill it.
func chooser(w *agent.Workload, n int) func() int {
	run := int(max(1, (w.WriteSize+pageSize-1)/pageSize))
	pick := picker(w, (n+run-1)/run)
	if run == 1 {
		return pick
	}
	at, end := 0, 0
	return func() int {
		if at == end {
			at = pick() * run
			end = min(at+run, n)
		}
		at++
		return at - 1
	}
}

// picker returns the function that picks the next of n items by the workload's pattern.
func picker(w *agent.Workload, n int) func() int {
	d := dice{mix(w.Seed)}
	switch w.Pattern {
	case patternRandom:
		return func() int { return d.below(n) }
	case patternHotSpot:
		return hotSpot(w, n, &d)
	case patternZipf:
		exponent := w.Zipf
		if exponent == 0 {
			exponent = defaultZipf
		}
		z, place := newZipf(n, exponent), scatter(n)
		return func() int { return place(z.rank(d.uniform) - 1) }
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

func hotSpot(w *agent.Workload, n int, d *dice) func() int {
	share, writes := w.HotShare, defaultHotWrites
	if share == 0 {
		share = defaultHotShare
	}
	if w.HotWrites != nil {
		writes = *w.HotWrites
	}
	hot := min(max(1, int(math.Round(share*float64(n)))), n)
	place := scatter(n)
	return func() int {
		switch {
		case n == hot:
			return d.below(n)
		case d.uniform() < writes:
			return place(d.below(hot))
		}
		return place(hot + d.below(n-hot))
	}
}

// A dice is a sequence of random numbers; its value is the state.
type dice struct{ state uint64 }

// below draws from 0 to below n. The high half of a product maps 32 random bits to n with a bias below n/2^32
// (Lemire 2019).
func (d *dice) below(n int) int {
	d.state = next(d.state)
	return int(word(d.state) >> 32 * uint64(n) >> 32)
}

// uniform draws from 0 to below 1.
func (d *dice) uniform() float64 {
	d.state = next(d.state)
	return float64(word(d.state)>>11) / (1 << 53)
}

// scatter returns a bijection of 0 to n−1 that puts neighbours far apart, so that hot items lie all over: multiples,
// modulo n, of a number near n/φ that has no divisor in common with n.
func scatter(n int) func(int) int {
	step := max(1, uint64(float64(n)/math.Phi))
	for gcd(step, uint64(n)) != 1 {
		step++
	}
	return func(i int) int { return int(uint64(i) * step % uint64(n)) }
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
