package live

import (
	"math"
	"strconv"
	"time"
	"virtscope/analysis/edges"
	"virtscope/results"
)

// maxOffset bounds what is believed of a clock, in s.
const maxOffset = 1e9

// A hostClock is a host's. As in a timeline, its offset is the middle of all that the measurements so far leave possible.
type hostClock struct {
	known     bool
	low, high float64 // s: the host's clock minus the controller's
}

// measured takes in a measurement; ok is false if it makes no sense.
func (c hostClock) measured(r *results.Record) (after hostClock, ok bool) {
	bound, err := strconv.ParseFloat(r.Attrs["bound"], 64)
	if err != nil || !(bound >= 0 && bound <= maxOffset) || !(math.Abs(r.Value) <= maxOffset) {
		return c, false
	}
	if !c.known {
		return hostClock{true, r.Value - bound, r.Value + bound}, true
	}
	return hostClock{true, min(c.low, r.Value-bound), max(c.high, r.Value+bound)}, true
}

// offset is in ns.
func (c hostClock) offset() int64 { return int64(math.Round((c.low + c.high) / 2 * 1e9)) }

// bound is by how much the offset may be wrong.
func (c hostClock) bound() time.Duration {
	return time.Duration(math.Ceil((c.high - c.low) / 2 * 1e9))
}

// edge is the instant of a record, at being its time by the controller.
func (t *trial) edge(r *results.Record, at int64) edges.Edge {
	e := edges.Edge{Time: at, Host: r.Host, What: r.Name, Clock: t.clocks[r.Host].bound()}
	if r.Source == results.SourceQMP {
		e.Stamp = edges.QMPStamp
	}
	return e
}
