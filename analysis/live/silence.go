package live

import (
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A silence is how long no frame of the guest came in at the switch. A RARP is sent by the hypervisor and is no
// sign of life: that it is one is told behind the frame, which is held back until then.
type silence struct {
	held    int64 // the newest frame, as recorded; 0 is none
	heldAt  int64 // its time by the controller
	last    int64 // the guest's last frame that counts; 0 is none
	longest int64 // since the action was asked for, ns
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
	if t.collected != 0 && at > t.collected {
		return
	}
	t.wire = t.wire.counted(t.actionBegin)
	t.wire.held, t.wire.heldAt = r.Time, at
}

// counted is the silence with the frame that is held back.
func (s silence) counted(action int64) silence {
	if s.held == 0 {
		return s
	}
	if s.last != 0 && action != 0 {
		s.longest = max(s.longest, s.heldAt-s.last)
	}
	s.last = max(s.last, s.heldAt)
	s.held = 0
	return s
}

// announced takes the frame back that was none of the guest's own.
func (t *trial) announced(r *results.Record) {
	if r.Source == results.SourceCaptureSwitch && r.Time == t.wire.held && r.Attrs["kind"] == "rarp" {
		t.wire.held = 0
	}
}

// silent is the longest silence since the request. One that goes on is as long as records of others show that time went by.
func (t *trial) silent() quantity.Quantity {
	s := t.wire.counted(t.actionBegin)
	until := t.latest
	if t.collected != 0 {
		until = t.collected
	}
	switch {
	case t.missing:
		return quantity.Unknown(results.Seconds, noRecords)
	case s.last == 0:
		return quantity.Unknown(results.Seconds, "no capture at the switch told of a frame of the guest")
	case t.actionBegin == 0:
		return quantity.Unknown(results.Seconds, "the action has not begun")
	case t.client == "source" || t.client == "destination":
		return quantity.Unknown(results.Seconds, "the client runs on the "+t.client+" host: not all of their frames pass the switch")
	case t.guests > 1:
		return quantity.Unknown(results.Seconds, "there are several guests: their frames are not told apart here")
	case min(until, t.flow.until)-s.last > s.longest:
		// The capture itself told of later frames, so that the guest's are not merely on their way.
		return quantity.AtLeast(seconds(min(until, t.flow.until)-s.last), results.Seconds, "it goes on")
	case t.flow.failed:
		return quantity.Unknown(results.Seconds, "the capture at the switch could not go on: what it did not see is not known")
	case t.collected == 0 || t.flow.until != 0 && t.flow.until < t.collected:
		return quantity.AtLeast(seconds(s.longest), results.Seconds, "the observation is not over")
	}
	return quantity.Exactly(seconds(s.longest), results.Seconds)
}
