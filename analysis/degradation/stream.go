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

func (c *client) stream(w Windows) *StreamReport {
	var stalls, lost, ownStalls, ownLost, standing float64
	late := quantity.Unknown(results.One, "the client did not say at its end what it received")
	ended, open := false, false
	span := w.span()
	in := func(w Window, t int64) bool { return w.From <= t && t < w.To }
	for _, r := range c.streams {
		switch {
		case r.Name == results.StreamReceived:
			ended = true
			if n, ok := number(r.Attrs["late"]); ok {
				late = quantity.Exactly(n, results.One)
			}
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
		if !ended {
			return quantity.AtLeast(n, results.One, "the client did not end as it should: what it had not yet recorded is missing")
		}
		return quantity.Exactly(n, results.One)
	}
	s := &StreamReport{Stalls: count(stalls), Lost: count(lost), BaselineStalls: count(ownStalls), BaselineLost: count(ownLost), Late: late}
	switch {
	case !ended:
		s.Rebuffering = quantity.AtLeast(standing, results.Seconds, s.Stalls.Why)
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

func (s *Service) warnStream() {
	if s.Stream == nil {
		return
	}
	if q := s.Stream.BaselineStalls; q.Known && q.Value > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%s: the player stalled %.0f times in the baseline", s.Name, q.Value))
	}
}
