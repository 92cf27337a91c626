package station

import (
	"slices"
	"virtscope/probes/wire/tcp"
)

// mostSilences is how many silences of a station are kept: the longest.
const mostSilences = 32

// A silence is the time between two frames of a station, announcements left out.
type silence struct {
	from, to   tcp.Stamp
	port, next string // where the frame before and the frame after came from
}

func (s silence) length() int64 { return s.to.Time - s.from.Time }

// silences are the longest of a station, and all that lead from one place to another.
type silences struct {
	list  []silence
	least int64 // the shortest of a full list; 0 while it is not full
}

func (g *silences) add(s silence) {
	if len(g.list) == mostSilences {
		g.drop()
	}
	g.list = append(g.list, s)
	if len(g.list) == mostSilences {
		g.least = g.list[g.shortest()].length()
	}
}

// shortest is the index of the shortest silence; those between two places are kept as long as there are others.
func (g *silences) shortest() int {
	best := 0
	for i, s := range g.list {
		b := g.list[best]
		if moved, other := s.port != s.next, b.port != b.next; moved != other {
			if other {
				best = i
			}
			continue
		}
		if s.length() < b.length() {
			best = i
		}
	}
	return best
}

func (g *silences) drop() {
	i := g.shortest()
	g.list = slices.Delete(g.list, i, i+1)
}
