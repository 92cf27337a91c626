package model

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// An AVG is the first of the two simulations of Akoush, Sohan, Rice, Moore and Hopper (Predicting the performance of virtual
// machine migration, MASCOTS 2010, section V): it takes the link rate and an average dirty rate, and lets each round dirty
// that rate times its length, at most all of memory. It adds the overheads before and after the migration, which the paper
// measures apart. It leaves out that Xen skips pages which it sees dirtied again within the round.
type AVG struct {
	Memory    float64 // B, above 0
	LinkRate  float64 // B/s, above 0
	DirtyRate float64 // B/s, at least 0
	Before    float64 // s: overhead before round 1, at least 0
	After     float64 // s: overhead after stop-and-copy: part of the downtime, at least 0
	Stop      Stop    // when the guest is stopped; the paper's is Xen
}

// Predict simulates the rounds.
func (a AVG) Predict() (Prediction, error) {
	if err := positive("by AVG", map[string]float64{"memory": a.Memory, "link rate": a.LinkRate}); err != nil {
		return Prediction{}, err
	}
	for name, v := range map[string]float64{"dirty rate": a.DirtyRate, "overhead before": a.Before, "overhead after": a.After} {
		if !(v >= 0) || math.IsInf(v, 1) {
			return Prediction{}, fmt.Errorf("predict by AVG: %s is %g: it must be known and not be negative", name, v)
		}
	}
	out := walk(a.Memory, a.LinkRate, func(t float64) float64 { return a.DirtyRate * t }, a.Stop)
	out.Total += a.Before + a.After
	out.Downtime += a.After
	return out, nil
}

// A Dirtied is how much of memory was written in a time, each page counted once.
type Dirtied struct {
	Seconds float64 // above 0
	Bytes   float64 // at least 0
}

// A HIST is the other simulation of the same paper: what a round dirties is looked up in a history of the guest. Here the
// history is how much was dirtied in some lengths of time, interpolated linearly from nothing in no time on, and constant
// after the longest, which a round should therefore not exceed by much: see Covers.
type HIST struct {
	Memory   float64 // B, above 0
	LinkRate float64 // B/s, above 0
	History  []Dirtied
	Stop     Stop
}

// Predict simulates the rounds. A history without entries is an error.
func (h HIST) Predict() (Prediction, error) {
	if err := positive("by HIST", map[string]float64{"memory": h.Memory, "link rate": h.LinkRate}); err != nil {
		return Prediction{}, err
	}
	if len(h.History) == 0 {
		return Prediction{}, fmt.Errorf("predict by HIST: there is no history of what the guest dirties")
	}
	for _, d := range h.History {
		if !(d.Seconds > 0) || !(d.Bytes >= 0) || math.IsInf(d.Seconds+d.Bytes, 1) {
			return Prediction{}, fmt.Errorf("predict by HIST: %g B in %g s: want both known, and time above 0", d.Bytes, d.Seconds)
		}
	}
	return walk(h.Memory, h.LinkRate, h.dirtied(), h.Stop), nil
}

// Covers reports whether the history holds a time at least half as long as round 1.
func (h HIST) Covers() bool {
	longest := 0.0
	for _, d := range h.History {
		longest = max(longest, d.Seconds)
	}
	return longest >= h.Memory/h.LinkRate/2
}

// dirtied is the history as a function that never falls: more time dirties no less.
func (h HIST) dirtied() func(float64) float64 {
	list := slices.Clone(h.History)
	slices.SortFunc(list, func(a, b Dirtied) int { return cmp.Compare(a.Seconds, b.Seconds) })
	for i := 1; i < len(list); i++ {
		list[i].Bytes = max(list[i].Bytes, list[i-1].Bytes)
	}
	return func(t float64) float64 {
		var before Dirtied
		for _, d := range list {
			if t <= d.Seconds {
				if d.Seconds == before.Seconds {
					return d.Bytes
				}
				return before.Bytes + (d.Bytes-before.Bytes)*(t-before.Seconds)/(d.Seconds-before.Seconds)
			}
			before = d
		}
		return before.Bytes
	}
}
