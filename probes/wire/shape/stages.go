package shape

import (
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// A stage is one that was inferred.
type stage struct {
	name     string
	at       tcp.Stamp // the best guess
	bounds   bounds
	from     string // what it is inferred from
	provided string // an assumption that nothing confirms
}

// An outcome is all that was inferred.
type outcome struct {
	stages []stage
	untold [][2]string // what, and why
}

// tell adds a stage, unless the capture's times contradict each other.
func (o *outcome) tell(s stage) {
	if s.bounds.earliest.Time > s.bounds.latest.Time {
		o.omit("the times of packets contradict each other", s.name)
		return
	}
	o.stages = append(o.stages, s)
}

func (o *outcome) omit(why string, what ...string) {
	for _, w := range what {
		o.untold = append(o.untold, [2]string{w, why})
	}
}

// A tail is how the forward connections end.
type tail struct {
	known bool
	begin tcp.Stamp // not before the last piece of content begins: the guest has stopped
	sent  tcp.Stamp // not after the last piece ends: the destination does not run before
	vague bool      // sent is not known
	open  bool      // the capture ended before a connection did
}

func (i *Inference) tail() (t tail) {
	for _, s := range i.forward {
		if s.how == "" || s.how == tcp.Cut {
			t.open = true
		}
		if !s.content.any {
			continue
		}
		last := s.content.last
		if !t.known || last.begin.latest.Time > t.begin.Time {
			t.begin = last.begin.latest
		}
		if !t.known || last.end.earliest.Time > t.sent.Time {
			t.sent = last.end.earliest
		}
		t.known, t.vague = true, t.vague || last.vague
	}
	return t
}

// infer concludes what can be.
func (i *Inference) infer() *outcome {
	o := &outcome{}
	pre, ok := i.inferBegin(o)
	if !ok {
		return o
	}
	t := i.tail()
	source := i.guest.source()
	arrived := i.guest.arrival(source)
	stop := bounds{earliest: pre}
	heard := source != nil && source.during.known // the guest was heard of while the stream went on
	from := "the stream's begin"
	if heard && source.during.Time >= pre.Time {
		stop.earliest, from = source.during.Stamp, "last frame of the guest from port "+source.name
	}
	answered := i.answered.known && i.answered.Time < t.sent.Time
	rest := []string{results.StageStopCopy, results.StageSwitchOver, results.StageRunning}
	switch {
	case arrived.known && arrived.other && arrived.at.Time < t.sent.Time:
		i.inferPostCopy(o, stop, heard, from, arrived)
	case t.open:
		o.omit("the capture ended before the stream", rest...)
	case !t.known:
		o.omit("no payload was seen", rest...)
	case !arrived.known && i.guest.contradicts(source, t.begin):
		o.omit(arrived.because, rest...)
	case answered && !arrived.other:
		o.omit("the destination sent more than a farewell: it may be post-copy, and ports do not tell the hosts apart", rest...)
	default:
		i.inferPreCopy(o, stop, heard, from, t, arrived, answered)
	}
	o.tell(stage{name: results.StageDone, at: i.last, bounds: bounds{i.last, i.last}, from: "last byte of either direction"})
	return o
}

// inferBegin tells the first stages. It returns an instant before which no page passed, and false if there was no stream.
func (i *Inference) inferBegin(o *outcome) (pre tcp.Stamp, ok bool) {
	m := &i.memory
	switch {
	case !i.begun:
		o.omit("no byte was seen", results.StageSetup)
		return pre, false
	case i.middle():
		o.omit("the capture began later", results.StageSetup, results.StagePreCopy)
		return i.begin, true
	}
	pre = i.begin
	o.tell(stage{name: results.StageSetup, at: i.begin, bounds: bounds{i.begin, i.begin}, from: "first byte of either direction"})
	if !m.known {
		o.omit("less passed than a set-up may have, 64 KiB", results.StagePreCopy)
		return pre, true
	}
	from := "first byte; 64 KiB of payload passed"
	if i.conf.Encrypted {
		from = "last record of the handshake; 64 KiB of records passed"
	}
	if m.before.Time > pre.Time {
		pre = m.before
	}
	at := m.first
	if at.Time < pre.Time {
		at = pre
	}
	o.tell(stage{name: results.StagePreCopy, at: at, bounds: bounds{pre, m.latest}, from: from})
	return pre, true
}

// inferPreCopy tells the end of a migration whose guest runs at the destination once all was sent.
func (i *Inference) inferPreCopy(o *outcome, stop bounds, heard bool, from string, t tail, arrived arrival, answered bool) {
	provided := ""
	if !arrived.known {
		provided = "the migration succeeded: " + arrived.because
	}
	what := "last segment begins"
	if i.conf.Encrypted {
		what = "last record begins"
	}
	stop.latest = t.begin
	switch {
	case !heard:
		o.omit("no frame of the guest was seen while the stream went on", results.StageStopCopy)
	case stop.earliest.Time > stop.latest.Time:
		o.omit("the source's guest was heard of when the last record had begun", results.StageStopCopy)
	default:
		o.tell(stage{results.StageStopCopy, stop.earliest, stop, from + "; " + what, provided})
	}
	runs, since := bounds{earliest: t.sent}, "last byte of content"
	switch {
	case answered:
		runs.earliest, since = stop.earliest, from
		o.omit("the destination sent more than a farewell: it may be post-copy", results.StageSwitchOver)
	case t.vague:
		runs.earliest, since = stop.earliest, from
		o.omit("bytes are missing, and what closes the channel cannot be told from its content", results.StageSwitchOver)
	default:
		o.tell(stage{results.StageSwitchOver, t.sent, bounds{t.sent, t.sent}, since, provided})
	}
	if arrived.known {
		runs.latest = arrived.at
		o.tell(stage{results.StageRunning, arrived.at, runs, since + "; " + arrived.sign, ""})
		return
	}
	closed, ok := i.closed()
	if !ok || closed.Time < runs.earliest.Time {
		o.omit(arrived.because+", and the destination's close tells nothing", results.StageRunning)
		return
	}
	runs.latest = closed
	o.tell(stage{results.StageRunning, closed, runs, since + "; the destination closes", provided})
}

// closed is when the destination closed the main channel, which it does once the guest runs.
func (i *Inference) closed() (at tcp.Stamp, ok bool) {
	if i.siblings > 0 {
		return at, false
	}
	for _, s := range i.reverse { // which is the main one is not known: it is not after the last
		if s.how != tcp.Fin {
			return at, false
		}
		if s.end.Time >= at.Time || !ok {
			at, ok = s.end, true
		}
	}
	return at, ok
}

// inferPostCopy tells the end of a migration whose guest runs at the destination while memory is still sent.
func (i *Inference) inferPostCopy(o *outcome, stop bounds, heard bool, from string, arrived arrival) {
	stop.latest = arrived.at
	why := from + "; " + arrived.sign + " before the stream ended"
	if stop.earliest.Time > stop.latest.Time {
		stop.earliest = i.begin
	}
	if heard {
		o.tell(stage{results.StageStopCopy, stop.earliest, stop, why, ""})
	} else {
		o.omit("no frame of the guest was seen from the source", results.StageStopCopy)
	}
	o.tell(stage{results.StagePostCopy, arrived.at, stop, why, ""})
	o.tell(stage{results.StageRunning, arrived.at, stop, why, ""})
	o.omit("post-copy has none", results.StageSwitchOver)
}

// middle reports whether the capture began after the stream, as far as TLS shows it.
func (i *Inference) middle() bool {
	for _, s := range i.forward {
		if i.conf.Encrypted && !s.records.shook {
			return true
		}
	}
	return false
}
