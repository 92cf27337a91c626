package main

import (
	"errors"
	"fmt"
	"sort"
	"virtscope/testbed/guest/agent"
)

// A pace says how much a workload should have written.
type pace interface {
	// asked is how much by the given time since the start (ns), in B.
	asked(elapsed int64) float64
	// reached is the last time (ns) by which no more than this was asked.
	reached(written float64) int64
}

// A constant pace, in B/s, above 0.
type constant float64

// maxRate is a mistake, in B/s; never is later than any time, in ns.
const (
	maxRate = 1e15
	never   = 1 << 61
)

func (c constant) asked(elapsed int64) float64 { return float64(c) * float64(elapsed) / 1e9 }

func (c constant) reached(written float64) int64 {
	return int64(min(written/float64(c)*1e9, never))
}

// A replay is the pace of a trace that begins again at its end.
type replay struct {
	trace []agent.TracePoint
	sums  []float64 // B asked from the trace's begin to each point
}

// newReplay takes a trace as agent.Workload describes it.
func newReplay(trace []agent.TracePoint) (*replay, error) {
	if len(trace) < 2 {
		return nil, errors.New("trace: want at least two points: the last one ends it")
	}
	if trace[0].At != 0 {
		return nil, fmt.Errorf("trace: it begins at %d ns: want 0", trace[0].At)
	}
	r := &replay{trace: trace, sums: make([]float64, len(trace))}
	for i, p := range trace {
		if !(p.Rate >= 0 && p.Rate <= maxRate) {
			return nil, fmt.Errorf("trace: rate %v B/s: want 0 to %v", p.Rate, maxRate)
		}
		if i == 0 {
			continue
		}
		before := trace[i-1]
		if p.At <= before.At {
			return nil, fmt.Errorf("trace: a point at %d ns comes after one at %d ns", p.At, before.At)
		}
		r.sums[i] = r.sums[i-1] + constant(before.Rate).asked(p.At-before.At)
	}
	if r.total() == 0 {
		return nil, errors.New("trace: its rates are all 0: use workload idle")
	}
	return r, nil
}

func (r *replay) period() int64  { return r.trace[len(r.trace)-1].At }
func (r *replay) total() float64 { return r.sums[len(r.sums)-1] }

func (r *replay) asked(elapsed int64) float64 {
	rounds, at := elapsed/r.period(), elapsed%r.period()
	i := sort.Search(len(r.trace), func(i int) bool { return r.trace[i].At > at }) - 1
	return float64(rounds)*r.total() + r.sums[i] + constant(r.trace[i].Rate).asked(at-r.trace[i].At)
}

func (r *replay) reached(written float64) int64 {
	rounds := int64(written / r.total())
	rest := written - float64(rounds)*r.total()
	i := sort.Search(len(r.sums), func(i int) bool { return r.sums[i] > rest }) - 1
	if i < 0 || i == len(r.trace)-1 { // the division was rounded
		return (rounds + 1) * r.period()
	}
	at := r.trace[i].At + constant(r.trace[i].Rate).reached(rest-r.sums[i])
	return rounds*r.period() + at
}
