// Package offset estimates how far apart the clocks of two vantage points are, from packets that passed both.
//
// Let A and B be the vantage points and θ what B's clock shows more than A's. A packet that passes A first and is on its
// way to B for d ≥ 0 has tB − tA = θ + d, so θ ≤ tB − tA. One that passes B first has tB − tA = θ − d, so θ ≥ tB − tA.
// Packets in both directions hold θ from both sides, and no assumption about the delays is made but that they are not
// negative: NTP's mean of both directions (RFC 5905, section 8) would assume that they are equal.
//
// Which way a packet goes is not known. A connection that passes both vantage points has one direction from A to B and
// one from B to A, and all of the former have differences of at least θ, all of the latter of at most θ. So the direction
// with the larger differences is the one from A to B. If neither has, the clocks did not run evenly, and there is no
// estimate.
//
// The clocks may run at rates that differ by up to MaxDrift, each evenly: θ is a line over time, above all differences
// of one direction and below all of the other (S. B. Moon, P. Skelly, D. Towsley: Estimation and Removal of Clock Skew from
// Network Delay Measurements, INFOCOM 1999). The result holds at both ends of the capture, and so all along it.
//
// Both must lie on one path: what passes A before B in one direction passes B before A in the other. Two copies of the
// same mirror port do not.
package offset

import (
	"fmt"
	"math"
	"time"
	"virtscope/probes/capture/packet"
)

// MaxDrift is how much the rates of two clocks may differ: the most that Linux corrects a clock by (adjtimex(2), 500
// ppm). Free-running crystals differ by less than 200 ppm.
const MaxDrift = 500e-6

// maxKeys bounds the memory: about 10 MB.
const maxKeys = 1 << 17

// A Side is a vantage point.
type Side uint8

// The sides.
const (
	A Side = iota
	B
)

// An Edge is the estimate at one end of what was seen.
type Edge struct {
	Time   int64         // ns since the Unix epoch, on A's clock
	Offset time.Duration // B's clock less A's, within Bound
	Bound  time.Duration
}

// A Result is an estimate.
type Result struct {
	Known bool
	Why   string // it is not known: the reason and the remedy

	Offset time.Duration // B's clock less A's, during all of the capture, within Bound
	Bound  time.Duration
	Start  Edge // at the first packet that both saw
	End    Edge // at the last one
	// The rate of B's clock less that of A's, in seconds per second, is between these.
	DriftMin, DriftMax float64

	Packets     int // that both saw, of those that were remembered
	Connections int // that gave the estimate
	// Least and Most are the extremes of tB − tA of all packets, known or not. If one direction alone was seen, Offset
	// is at most Least if it is that from A to B, and at least Most otherwise. They are 0 if Packets is 0.
	Least, Most time.Duration
}

// An Estimator remembers packets of both sides, in any order of the two. The zero value is not usable.
type Estimator struct {
	seen   map[uint64]sighting
	limit  uint64 // keys above it are not remembered
	keys   int    // how many may be
	tcp    [2]int64
	coarse [2]resolution
}

// A sighting is where and when a packet was seen.
type sighting struct {
	flow  uint64
	first bool     // of the two directions of flow
	times [2]int64 // the first of each side
	count [2]uint8 // 2 is more than once
}

// New makes an estimator.
func New() *Estimator {
	e := &Estimator{seen: make(map[uint64]sighting), limit: math.MaxUint64, keys: maxKeys}
	e.coarse = [2]resolution{unlimited, unlimited}
	return e
}

// Add notes that a side saw a packet at a time in ns since the Unix epoch. Packets other than TCP are left out. A side's packets
// must be of one place: where an interface and a bridge behind it are captured, give those of one of them, as packets
// that a side sees twice do not count.
func (e *Estimator) Add(side Side, at int64, p *packet.Packet) {
	if p.Kind != packet.TCP || at <= 0 {
		return
	}
	e.tcp[side]++
	key, flow, first := identify(p)
	if key > e.limit {
		return
	}
	e.coarse[side] = e.coarse[side].with(at)
	s, known := e.seen[key]
	if !known {
		s.flow, s.first = flow, first
	}
	if s.count[side] == 0 {
		s.times[side] = at
	}
	s.count[side] = min(s.count[side]+1, 2)
	e.seen[key] = s
	for len(e.seen) > e.keys {
		e.thin()
	}
}

// thin forgets half of the packets. Keys are evenly spread, so it is the same half of both sides, and of each time.
func (e *Estimator) thin() {
	e.limit /= 2
	for key := range e.seen {
		if key > e.limit {
			delete(e.seen, key)
		}
	}
}

// matched gives the packets that both sides saw exactly once, by connection, and how many one saw more often.
func (e *Estimator) matched() (by map[uint64]*connection, twice [2]int) {
	by = map[uint64]*connection{}
	for _, s := range e.seen {
		for side, n := range s.count {
			if n > 1 {
				twice[side]++
			}
		}
		if s.count != [2]uint8{1, 1} {
			continue
		}
		c := by[s.flow]
		if c == nil {
			c = &connection{}
			by[s.flow] = c
		}
		way := 0
		if s.first {
			way = 1
		}
		c.ways[way] = append(c.ways[way], s.times)
	}
	return by, twice
}

// unmatched says why no packet was seen by both.
func (e *Estimator) unmatched(twice [2]int) string {
	for side, name := range []string{"the first", "the second"} {
		if e.tcp[side] == 0 {
			return fmt.Sprintf("there is no TCP packet in %s capture: capture both while a connection runs between them", name)
		}
		if twice[side] > len(e.seen)/2 {
			return fmt.Sprintf("%s capture has packets more than once: take one of its interfaces", name)
		}
	}
	return "no TCP packet is in both captures: they are of other times or paths, or an address translation or a proxy lies between them"
}
