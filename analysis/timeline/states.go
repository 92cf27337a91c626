package timeline

import (
	"time"
	"virtscope/analysis/edges"
	"virtscope/results"
)

// Unattributed names the time that no state or phase explains.
const Unattributed = edges.Unattributed

// A Span is a state, a phase or the unattributed time between them.
type Span = edges.Span

// Total is the sum of all spans. The phases of an action add up to its wall time exactly, as the states do to the trial's.
func Total(spans []Span) time.Duration { return edges.Total(spans) }

func attribute(begin, end Edge, spans []Span) (all []Span, out []string) {
	return edges.Attribute(begin, end, spans)
}

// states lists the trial's states. They add up to the wall time of the attempt, from the outcome's begin to its end.
func (x *index) states(o results.Outcome) (begin, end Edge, all []Span) {
	marks := x.byName[results.TrialState]
	stops := x.byName[results.TrialEnd]
	var edges []Edge
	if t, ok := wall(o.Begin); ok {
		edges = append(edges, Edge{Time: t, Host: x.controller, What: "trial begins"})
	}
	if t, ok := wall(o.End); ok {
		edges = append(edges, Edge{Time: t, Host: x.controller, What: "trial ends"})
	}
	for _, list := range [][]results.Record{marks, stops} {
		for _, r := range list {
			edges = append(edges, x.edge(r))
		}
	}
	if len(edges) == 0 {
		return Edge{}, Edge{}, nil
	}
	begin, end = edges[0], edges[0]
	for _, e := range edges {
		if e.Time < begin.Time {
			begin = e
		}
		if e.Time > end.Time {
			end = e
		}
	}
	var spans []Span
	for i, r := range marks {
		until := end
		if len(stops) > 0 {
			until = x.edge(stops[len(stops)-1])
		}
		if i+1 < len(marks) {
			until = x.edge(marks[i+1])
		}
		spans = append(spans, Span{Name: r.Attrs["state"], Start: x.edge(r), End: until})
	}
	all, _ = attribute(begin, end, spans)
	return begin, end, all
}

func wall(t time.Time) (int64, bool) {
	if t.Year() < 1971 || t.Year() > 2042 {
		return 0, false
	}
	return t.UnixNano(), true
}

// state is the window of the last span of that name.
func state(all []Span, name string) (window, bool) {
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Name == name {
			return window{all[i].Start.Time, all[i].End.Time}, true
		}
	}
	return window{}, false
}
