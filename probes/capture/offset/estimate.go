package offset

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// A connection has the times of each direction's packets, as A and as B saw them.
type connection struct{ ways [2][][2]int64 }

// A frame of reference makes numbers small enough for float64 to be exact.
type reference struct {
	start, end int64 // of A's times, ns
	difference int64 // ns, taken from all differences
	lost       [2]float64
}

// Estimate says what follows from the packets so far. It does not change e.
func (e *Estimator) Estimate() Result {
	by, twice := e.matched()
	if len(by) == 0 {
		return Result{Why: e.unmatched(twice)}
	}
	ref, r := e.survey(by)
	var above, below []point
	var unclear *connection
	both, uneven := 0, 0
	for _, c := range by {
		if len(c.ways[0]) == 0 || len(c.ways[1]) == 0 {
			continue
		}
		both++
		forward, backward := ref.bounds(c, 0), ref.bounds(c, 1)
		_, _, isForward := forward.slopes()
		_, _, isBackward := backward.slopes()
		switch {
		case isForward && isBackward: // few packets, or no delay: either may be
			if unclear == nil || size(c) > size(unclear) {
				unclear = c
			}
		case isForward:
			above, below = append(above, forward.above...), append(below, forward.below...)
			r.Connections++
		case isBackward:
			above, below = append(above, backward.above...), append(below, backward.below...)
			r.Connections++
		default:
			uneven++
		}
	}
	switch {
	case both == 0:
		r.Why = fmt.Sprintf("one direction alone of any connection is in both captures: the second clock is ahead of the first by at most %v if those packets passed the first capture first, and by at least %v otherwise", r.Least, r.Most)
	case uneven > 0:
		r.Why = fmt.Sprintf("the packets of %d of %d connections fit no clocks that run evenly: a clock was set during the capture, packets are missing in both captures, or these do not lie on one path", uneven, both)
	case r.Connections > 0:
		return r.decide(ref, []bounds{newBounds(above, below)})
	default:
		r.Connections = 1
		return r.decide(ref, []bounds{ref.bounds(unclear, 0), ref.bounds(unclear, 1)})
	}
	return r
}

func size(c *connection) int { return min(len(c.ways[0]), len(c.ways[1])) }

// survey finds the reference, and what holds of all packets.
func (e *Estimator) survey(by map[uint64]*connection) (reference, Result) {
	ref := reference{start: math.MaxInt64, lost: [2]float64{e.coarse[A].lost(), e.coarse[B].lost()}}
	r := Result{Least: math.MaxInt64, Most: math.MinInt64}
	for _, c := range by {
		for _, t := range slices.Concat(c.ways[0], c.ways[1]) {
			r.Packets++
			ref.start, ref.end = min(ref.start, t[A]), max(ref.end, t[A])
			r.Least, r.Most = min(r.Least, time.Duration(t[B]-t[A])), max(r.Most, time.Duration(t[B]-t[A]))
		}
	}
	ref.difference = int64(r.Least)
	return ref, r
}

// bounds are those that a connection gives if direction number way goes from A to B. A time that was cut to a file's resolution was
// later by less than that.
func (ref reference) bounds(c *connection, way int) bounds {
	return newBounds(ref.points(c.ways[way], ref.lost[B]), ref.points(c.ways[1-way], -ref.lost[A]))
}

func (ref reference) points(times [][2]int64, shift float64) []point {
	points := make([]point, len(times))
	for i, t := range times {
		points[i] = point{ref.x(t[A]), float64(t[B]-t[A]-ref.difference) + shift}
	}
	return points
}

// x is a time of A in s.
func (ref reference) x(t int64) float64 { return float64(t-ref.start) / 1e9 }

// decide fills in what the lines that fit say; if there are several sets of bounds, one of them holds.
func (r Result) decide(ref reference, sets []bounds) Result {
	starts, ends := wide{math.Inf(1), math.Inf(-1)}, wide{math.Inf(1), math.Inf(-1)}
	drift := starts
	for _, b := range sets {
		least, most, ok := b.slopes()
		if !ok {
			r.Why = "connections contradict each other: a clock was set during the capture, packets are missing in both captures, or these do not lie on one path"
			return r
		}
		drift = drift.with(least, most)
		starts = starts.with(b.at(0, least, most))
		ends = ends.with(b.at(ref.x(ref.end), least, most))
	}
	r.Known = true
	r.DriftMin, r.DriftMax = drift.low/1e9, drift.high/1e9
	r.Start, r.End = Edge{Time: ref.start}, Edge{Time: ref.end}
	r.Start.Offset, r.Start.Bound = ref.interval(starts)
	r.End.Offset, r.End.Bound = ref.interval(ends)
	r.Offset, r.Bound = ref.interval(starts.with(ends.low, ends.high))
	return r
}

// wide is an interval.
type wide struct{ low, high float64 }

func (w wide) with(low, high float64) wide { return wide{min(w.low, low), max(w.high, high)} }

// interval is the middle and half the width, rounded so that nothing is left out.
func (ref reference) interval(w wide) (middle, half time.Duration) {
	low, high := int64(math.Floor(w.low)), int64(math.Ceil(w.high))
	half = time.Duration((high - low + 1) / 2)
	return time.Duration(ref.difference+low) + half, half
}
