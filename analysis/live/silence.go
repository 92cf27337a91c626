package live

import (
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A silence is how long no frame of the guest came in at the switch.
type silence struct {
	last    int64 // the guest's last frame; 0 is none
	longest int64 // since the action was asked for, ns
	heard   int64 // the capture has told of frames until then
}

// restart begins to count. The silence that goes on counts from the request.
func (s *silence) restart(at int64) {
	s.longest = 0
	if s.last != 0 {
		s.last = max(s.last, at)
	}
}

func (t *trial) frame(r *results.Record, at int64) {
	if r.Source != results.SourceCaptureSwitch {
		return
	}
	t.flow.live(at)
	s := &t.wire
	s.heard = max(s.heard, at)
	if t.collected != 0 && at > t.collected {
		return
	}
	if s.last != 0 && t.actionBegin != 0 {
		s.longest = max(s.longest, at-s.last)
	}
	s.last = max(s.last, at)
}

// silent is the longest silence since the request.
func (t *trial) silent() quantity.Quantity {
	s := &t.wire
	switch {
	case s.last == 0:
		return quantity.Unknown(results.Seconds, "no capture at the switch told of a frame of the guest")
	case t.actionBegin == 0:
		return quantity.Unknown(results.Seconds, "the action has not begun")
	case t.guests > 1:
		return quantity.Unknown(results.Seconds, "there are several guests: their frames are not told apart here")
	case s.heard-s.last > s.longest && t.collected == 0:
		return quantity.AtLeast(seconds(s.heard-s.last), results.Seconds, "it goes on")
	}
	return quantity.Exactly(seconds(s.longest), results.Seconds)
}
