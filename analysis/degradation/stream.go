package degradation

import (
	"fmt"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A StreamReport is what a player of the stream showed over the span. A stall belongs to the window in which it began.
type StreamReport struct {
	Stalls         quantity.Quantity `json:"stalls"`          // 1
	Rebuffering    quantity.Quantity `json:"rebuffering"`     // s: the player stood still, within the span
	Lost           quantity.Quantity `json:"lost"`            // 1: datagrams
	BaselineStalls quantity.Quantity `json:"baseline_stalls"` // 1: with nothing done to the guest
	BaselineLost   quantity.Quantity `json:"baseline_lost"`   // 1
	Late           quantity.Quantity `json:"late"`            // 1: datagrams of the whole trial that came behind a later one
}

// A stream is taken for dead if none of it came for so many times the time that a datagram plays, and for so long.
const (
	deadIntervals = 10
	deadTime      = 0.2 // s
)

// A streamEnd is what the client said at its end. The zero value is that it said nothing.
type streamEnd struct {
	said  bool
	none  bool  // no datagram came
	still bool  // the player never played
	since int64 // ns: when the player first played; 0 if that was not told
	dead  int64 // ns: since when nothing came; 0 if it came to the end
	late  quantity.Quantity
}

func (c *client) streamEnd() streamEnd {
	e := streamEnd{late: quantity.Unknown(results.One, "the client did not say at its end what it received")}
	for _, r := range c.streams {
		if r.Name != results.StreamReceived {
			continue
		}
		e.said, e.none = true, r.Value == 0
		if n, ok := number(r.Attrs["late"]); ok {
			e.late = quantity.Exactly(n, results.One)
		}
		silent, told := number(r.Attrs["silent"])
		interval, _ := number(r.Attrs["interval"])
		if told && silent > max(deadTime, deadIntervals*interval) {
			e.dead = before(r, silent)
		}
		played, ok := number(r.Attrs["played"])
		e.still = told && !ok
		if ok {
			e.since = before(r, played)
		}
	}
	return e
}

// before is the time so many s before a record.
func before(r results.Record, s float64) int64 { return r.Time - int64(min(s, longestTrial)*1e9) }

// longestTrial bounds what is believed of a time, in s.
const longestTrial = 1e8

// noStream is the report where none of it is known.
func noStream(why string) *StreamReport {
	n := quantity.Unknown(results.One, why)
	return &StreamReport{n, quantity.Unknown(results.Seconds, why), n, n, n, n}
}

func (c *client) stream(w Windows) *StreamReport {
	end := c.streamEnd()
	if end.none {
		return noStream("no datagram of the stream came")
	}
	var stalls, lost, ownStalls, ownLost, standing float64
	open := false
	span := w.span()
	in := func(w Window, t int64) bool { return w.From <= t && t < w.To }
	for _, r := range c.streams {
		switch {
		case r.Name == results.StreamStall && in(span, r.Time):
			stalls++
			long := r.Value
			if rest := seconds(span.To - r.Time); long > rest {
				long = rest
			} else if r.Attrs["open"] != "" {
				open = true
			}
			standing += long
		case r.Name == results.StreamStall && in(w.Baseline, r.Time):
			ownStalls++
		case r.Name == results.StreamLost && in(span, r.Time):
			lost += r.Value
		case r.Name == results.StreamLost && in(w.Baseline, r.Time):
			ownLost += r.Value
		}
	}
	count := func(n float64) quantity.Quantity {
		if !end.said {
			return atLeastSome(n, results.One, notEnded)
		}
		return quantity.Exactly(n, results.One)
	}
	missing := func(n float64, w Window) quantity.Quantity {
		if end.dead != 0 && end.dead < w.To {
			return atLeastSome(n, results.One, "nothing came any more until the client's end: nobody knows what was lost of that")
		}
		return count(n)
	}
	s := &StreamReport{
		Stalls: count(stalls), Lost: missing(lost, span), BaselineStalls: count(ownStalls), BaselineLost: missing(ownLost, w.Baseline), Late: end.late,
	}
	standing += seconds(max(0, min(end.since, span.To)-span.From)) // until it first played
	switch {
	case end.still:
		s.Stalls = quantity.Unknown(results.One, neverPlayed)
		s.BaselineStalls = s.Stalls
		s.Rebuffering = quantity.Exactly(seconds(span.length()), results.Seconds)
	case !end.said:
		s.Rebuffering = atLeastSome(standing, results.Seconds, notEnded)
	case open:
		s.Rebuffering = quantity.AtLeast(standing, results.Seconds, "the player still stood still at the end")
	default:
		s.Rebuffering = quantity.Exactly(standing, results.Seconds)
	}
	if w.Baseline.length() == 0 {
		none := quantity.Unknown(results.One, "there was no baseline")
		s.BaselineStalls, s.BaselineLost = none, none
	}
	return s
}

// Why a figure is not known.
const (
	neverPlayed = "the player never began: it never held as much as it waits for"
	notEnded    = "the client did not end as it should: what it had not yet recorded is missing"
)

// atLeastSome is a lower bound; at least 0 says nothing.
func atLeastSome(v float64, u results.Unit, why string) quantity.Quantity {
	if v == 0 {
		return quantity.Unknown(u, why)
	}
	return quantity.AtLeast(v, u, why)
}

func (s *Service) warnStream() {
	if s.Stream == nil {
		return
	}
	if q := s.Stream.Stalls; !q.Known {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%s: %s", s.Name, q.Why))
	}
	if q := s.Stream.BaselineStalls; q.Known && q.Value > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%s: the player stalled %.0f times in the baseline", s.Name, q.Value))
	}
}
