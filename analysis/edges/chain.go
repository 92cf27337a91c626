package edges

import "fmt"

// A Step is an edge of a course that has one order, and the phase that ends with it. Edge is nil if nobody saw it.
type Step struct {
	Name, Phase string
	Edge        *Edge
}

// Chain cuts the time from the first edge that was seen to the last into phases. A phase is there if its edge and the one before it in
// the course are; the time beside a missing edge is unattributed. Told says what is missing, or contradicts the order.
func Chain(steps []Step) (spans []Span, told []string) {
	var list []Span
	var first, last *Edge
	for i, s := range steps {
		if s.Edge == nil {
			told = append(told, fmt.Sprintf("%s: nobody recorded it", s.Name))
			continue
		}
		if first == nil {
			first = s.Edge
		}
		if last == nil || s.Edge.Time > last.Time {
			last = s.Edge
		}
		if i > 0 && steps[i-1].Edge != nil {
			list = append(list, Span{Name: s.Phase, Start: *steps[i-1].Edge, End: *s.Edge})
		}
	}
	if first == nil {
		return nil, told
	}
	spans, out := Attribute(*first, *last, list)
	for _, name := range out {
		told = append(told, name+" is left out of the phases: its edges contradict those of others")
	}
	return spans, told
}
