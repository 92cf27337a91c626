package live

import (
	"slices"
	"strconv"
	"virtscope/analysis/edges"
	"virtscope/results"
)

// maxRounds bounds what is kept of them: the last ones.
const maxRounds = 64

// A pass is a synchronisation of the dirty bitmap. A round begins with one while the guest runs.
type pass struct {
	n     int
	begin edges.Edge
	start counters // as the hypervisor told when it was asked for it
}

// rounds are a migration's synchronisations, with the newest counters.
type rounds struct {
	passes  []pass
	dropped int   // of rounds that are not kept
	early   pass  // an answer of which the pass is not told yet
	first   int64 // when the first pass was; 0 is none
	now     counters
	before  counters // of the reply before
	asked   int64    // after that before was asked for: when the reply before it came
	bytes   growth
	pages   growth
	total   float64 // B; 0 is not told
	left    float64
	leftAt  int64
}

// begin takes in a synchronisation and returns its number; 0 for one after the guest's stop.
func (s *rounds) begin(r *results.Record, at edges.Edge, stop *edges.Edge) int {
	n := int(max(0, min(r.Value, 1e9)))
	if s.first == 0 || at.Time < s.first {
		s.first = at.Time
	}
	if len(s.passes) == maxRounds {
		s.passes = append(s.passes[:0], s.passes[1:]...)
		s.dropped++
	}
	p := pass{n: n, begin: at, start: noCounters()}
	if s.early.start.at != 0 && s.early.n == n {
		p.start, s.early = s.early.start, pass{}
	}
	i := len(s.passes)
	for i > 0 && s.passes[i-1].begin.Time > at.Time { // it was told late
		i--
	}
	s.passes = slices.Insert(s.passes, i, p)
	if stop != nil && at.Time >= stop.Time {
		return 0
	}
	return n
}

func (s *rounds) sample(r *results.Record, at int64) {
	switch r.Name {
	case results.MigrationRemaining:
		s.left, s.leftAt = r.Value, at
		return
	case results.MigrationTotal:
		s.total = r.Value
		return
	}
	switch {
	case s.now.at == 0:
		s.now, s.before = noCounters(), noCounters()
	case s.now.at != at:
		s.before, s.asked = s.now, s.before.at
	}
	s.now.at = at
	s.now.take(r)
	switch {
	case r.Name == results.MigrationTransferred:
		s.bytes.take(at, r.Value)
	case r.Name == results.MigrationPages && r.Attrs["kind"] == "normal":
		s.pages.take(at, r.Value)
	}
	if r.Attrs["trigger"] == "pass" {
		s.answer(r, at)
	}
}

// answer takes in what was asked for as a round began.
func (s *rounds) answer(r *results.Record, at int64) {
	n, err := strconv.Atoi(r.Attrs["round"])
	if err != nil {
		return
	}
	for i := len(s.passes) - 1; i >= 0; i-- {
		if p := &s.passes[i]; p.n == n {
			p.start.at = at
			p.start.take(r)
			return
		}
	}
	if s.early.n != n || s.early.start.at != at {
		s.early = pass{n: n, start: noCounters()}
	}
	s.early.start.at = at
	s.early.start.take(r)
}

// nearest is the counters that a pass asked for which tell of a time least far from t, and by how much that is, in ns: an answer
// tells of some instant between the pass and its own arrival.
func (s *rounds) nearest(t int64, of func(counters) float64) (best pass, far int64, ok bool) {
	for _, p := range s.passes {
		if p.start.at == 0 || of(p.start) != of(p.start) {
			continue
		}
		if d := max(p.start.at-t, t-p.begin.Time, 0); !ok || d < far {
			best, far, ok = p, d, true
		}
	}
	return best, far, ok
}
