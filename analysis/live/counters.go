package live

import (
	"math"
	"virtscope/results"
)

// counters are the hypervisor's at one time. What it did not tell is NaN.
type counters struct {
	at                 int64 // of the reply, ns; 0 is none
	sent, pages, dirty float64
}

func noCounters() counters { return counters{0, math.NaN(), math.NaN(), math.NaN()} }

func (c *counters) take(r *results.Record) {
	switch r.Name {
	case results.MigrationTransferred:
		c.sent = r.Value
	case results.MigrationDirtyRate:
		if r.Value > 0 { // 0 is none: see dirtied
			c.dirty = r.Value
		}
	case results.MigrationPages:
		if r.Attrs["kind"] == "normal" {
			c.pages = r.Value
		}
	}
}

func ofSent(c counters) float64  { return c.sent }
func ofPages(c counters) float64 { return c.pages }

// apart is how far readings are apart, in ns, that are not nearly at once.
const apart = 5e6

// maxNear bounds how many readings are kept that are nearly at once.
const maxNear = 64

// growth is the most that a counter grew per second between two readings that are not nearly at once, as a timeline has it.
type growth struct {
	near    []point // the newest, and before them the last that is apart from it
	fastest float64 // 1/s
}

type point struct {
	at    int64
	value float64
}

func (g *growth) take(at int64, v float64) {
	for len(g.near) > 1 && at-g.near[1].at >= apart {
		g.near = append(g.near[:0], g.near[1:]...)
	}
	if len(g.near) > 0 {
		if d := at - g.near[0].at; d >= apart {
			g.fastest = max(g.fastest, (v-g.near[0].value)/seconds(d))
		}
	}
	if len(g.near) < maxNear {
		g.near = append(g.near, point{at, v})
	}
}
