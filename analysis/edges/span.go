package edges

import "time"

// Unattributed names the time that no state or phase explains.
const Unattributed = "unattributed"

// A Span is a state, a phase or the unattributed time between them.
type Span struct {
	Name  string `json:"name"`
	Start Edge   `json:"start"`
	End   Edge   `json:"end"`
	Note  string `json:"note,omitempty"`
}

// Duration of the span; never negative.
func (s Span) Duration() time.Duration { return time.Duration(s.End.Time - s.Start.Time) }

// Total is the sum of all spans. The phases of an action add up to its wall time exactly, as the states do to the trial's.
func Total(spans []Span) time.Duration {
	var sum time.Duration
	for _, s := range spans {
		sum += s.Duration()
	}
	return sum
}

// Attribute lays spans between begin and end, in order, and fills what they leave with unattributed time. A span that
// overlaps an earlier one or leaves the frame is left out: the clocks contradict each other there, and its name is
// returned.
func Attribute(begin, end Edge, spans []Span) (all []Span, out []string) {
	at := begin
	for _, s := range spans {
		if s.Start.Time < at.Time || s.End.Time < s.Start.Time || s.End.Time > end.Time {
			out = append(out, s.Name)
			continue
		}
		if s.Start.Time > at.Time {
			all = append(all, Span{Name: Unattributed, Start: at, End: s.Start})
		}
		all = append(all, s)
		at = s.End
	}
	if end.Time > at.Time {
		all = append(all, Span{Name: Unattributed, Start: at, End: end})
	}
	return all, out
}
