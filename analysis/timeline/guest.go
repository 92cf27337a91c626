package timeline

import (
	"cmp"
	"fmt"
	"slices"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// silentFor is for how long, in s, an agent that ticks may be silent before it counts as stuck. Emulated guests stall for
// 0.2 to 0.8 s with nothing done to them.
const silentFor = 1

// A miss is a step of the guest's ticker that was longer than its threshold. Start and end are on the guest's clock.
type miss struct {
	start, end int64
	at         int64 // arrival of its report at the host
}

// guest is the outage as the guest's own ticker saw it, on the host's time base.
//
// While the guest runs, a heartbeat that says m arrives at a = m + lag + delay, with delay ≥ 0. A stopped guest's clock
// stands still, so a stop raises the lag by its length S: S is the least a − m after it less the least before it, less the
// drift between the clocks, which the calm time shows. The ticker, of interval q, sees nothing of S: it sees the time for
// which the guest did not run while its clock did. Its step across the stop, in the guest's time, is p, so in real time
// the ticker was silent for S + p, and the outage lies in [S + p − q, S + p]: it may have begun up to q after the last tick.
//
// If no miss was reported, p is at most the threshold h; the value is then S, in [S, S + h]. For a guest whose clock does
// not stand still, S is 0 within its error and p holds all. Both are combined where they meet; where it is not sure that
// they are one (a miss and the stop only share the span between two heartbeats), the lower bound is that of the longer one.
func (x *index) guest(o observation) Outage {
	beats, misses := x.beats(), x.misses()
	info := x.byName[results.GuestTickInfo]
	if len(info) == 0 {
		return noView(BlackoutGuest, "the guest's agent did not say its ticker's interval")
	}
	t := ticker{interval: info[0].Value, threshold: attrSeconds(info[0], "threshold")}
	if t.threshold < t.interval {
		t.threshold = 2 * t.interval
	}
	if len(beats) == 0 {
		return noView(BlackoutGuest, "no heartbeat of the guest arrived")
	}
	p, ok := newPulse(beats, o.baseline, o.action)
	if !ok {
		return noView(BlackoutGuest, fmt.Sprintf("fewer than %d heartbeats arrived before the action: make warm-up and baseline longer", 2*beatWindow))
	}
	out := Outage{Name: BlackoutGuest, warning: p.wrongRate(), FloorLength: seconds(o.baseline.length()), Raw: quantity.Unknown(results.Seconds, "no two events of the guest bound it")}
	e := p.ending(o.span.to)
	s, ok := p.standstill(window{o.span.from, e.to})
	var gaps []gap
	if ok {
		gaps = t.gaps(s, misses, p)
	}
	out.Floor = t.floor(p, misses, gaps, o.baseline)
	g, found := longest(since(gaps, o.action), window{o.span.from, e.to})
	if why := e.doubt(misses, g, p); !found || why != "" {
		if why == "" {
			why = "too few heartbeats of the guest's agent arrived after the action began"
		}
		out.Quantity = quantity.Unknown(results.Seconds, why)
		return out
	}
	out.take(g)
	if g.step == 0 && s.from == s.to {
		out.From, out.To = 0, 0 // nothing to see, nowhere
	}
	still := fmt.Sprintf("the guest's clock stood still for %s ± %s", quantity.Duration(s.length/1e9), quantity.DurationTo(s.bound/1e9, quantity.Up))
	out.Detail = append([]string{still}, out.Detail...)
	if g.step > 0 {
		out.Detail = append(out.Detail, fmt.Sprintf("its ticker missed a step of %s on the guest's clock", quantity.Duration(g.step)))
	}
	out.Detail = append(out.Detail, fmt.Sprintf("ticker interval %s, steps above %s are reported; clock drift %.0f ppm",
		quantity.Duration(t.interval), quantity.Duration(t.threshold), p.drift*1e6))
	return out
}

// An ending is how the guest was heard around the end of the observation: in the last beat before and the first after.
type ending struct {
	to          int64 // arrival of the beat after; the end of the observation if there is none
	quiet       float64
	heard, next *beat // next is nil if the agent was not heard again
}

// ending looks at the end of the observation. A stall that lasts beyond it shows in the beat, and in the missed step, that
// arrive later.
func (p pulse) ending(end int64) ending {
	i := firstBeat(p.beats, end)
	e := ending{to: end, heard: &p.beats[max(0, i-1)]}
	e.quiet = seconds(end - e.heard.at)
	if i > 0 && i < len(p.beats) {
		e.next = &p.beats[i]
		e.to = e.next.at
	}
	return e
}

// doubt says why g may not be the longest outage; "" if it is. An agent that was not heard again may have been silent for
// longer than g. One that was heard again reported what its ticker had missed: what no missed step explains of the time
// that its clock counted in between is a fault of its own, such as a channel that was stuck.
func (e ending) doubt(misses []miss, g gap, p pulse) string {
	if e.next == nil {
		if e.quiet > max(g.outage.Value, 10*p.pace) {
			return fmt.Sprintf("the guest's agent was not heard for the last %s of the observation, nor later: the guest, its timers or its channel were stuck", quantity.Duration(e.quiet))
		}
		return ""
	}
	unexplained := seconds(e.next.mono - e.heard.mono)
	for _, m := range misses {
		unexplained -= max(0, seconds(min(m.end, e.next.mono)-max(m.start, e.heard.mono)))
	}
	if unexplained > max(silentFor, 10*p.pace) {
		return fmt.Sprintf("the guest's agent was silent for %s around the end of the observation, of which no missed tick explains %s: the agent or its channel was stuck",
			quantity.Duration(seconds(e.next.at-e.heard.at)), quantity.Duration(unexplained))
	}
	return ""
}

// A ticker ticks every interval; a step above threshold is reported. Both in s.
type ticker struct{ interval, threshold float64 }

// gaps are the standstill and the missed steps; one that meets the standstill is joined with it.
func (t ticker) gaps(s standstill, misses []miss, p pulse) []gap {
	still, bound := s.length/1e9, s.bound/1e9
	list := []gap{{from: s.before, to: s.after, outage: quantity.Within(still, max(0, still-bound), still+t.threshold+bound, results.Seconds)}}
	stopped := s.to > s.from
	for _, m := range misses {
		step := seconds(m.end-m.start) * (1 + p.drift)
		slack := step*p.unsure + t.interval/2 // a tick is late by its thread's wake-up, for which half an interval is allowed
		g := gap{from: m.at - (m.end - m.start), to: m.at, step: step}
		g.outage = quantity.Within(step-t.interval/2, max(0, step-t.interval-slack), step+slack, results.Seconds)
		if stopped && m.start < s.to && m.end > s.from {
			g.from, g.to = min(s.before, g.from), max(s.after, g.to)
			g.outage = quantity.Within(still+step-t.interval/2, max(0, max(still-bound, step-t.interval-slack)), still+step+bound+slack, results.Seconds)
		}
		list = append(list, g)
	}
	return list
}

// floor is what the same estimate makes of the baseline. A step of the lag in it is noise, not a stop, and counts whole.
// Gaps are those of the action: a step that reaches over the baseline's end is joined with a stop there.
func (t ticker) floor(p pulse, misses []miss, gaps []gap, baseline window) quantity.Quantity {
	if s, ok := p.standstill(baseline); ok {
		own := t.gaps(s, misses, p)
		own[0].from, own[0].to = baseline.from, baseline.to
		gaps = append(own, gaps...)
	}
	if q := floor(gaps, baseline); q.Known {
		return q
	}
	return quantity.Unknown(results.Seconds, "too few heartbeats arrived in the baseline")
}

// beats are the heartbeats in the order of the guest's clock.
func (x *index) beats() []beat {
	var list []beat
	for _, r := range x.byName[results.GuestHeartbeat] {
		if mono, ok := nanoseconds(r.Attrs["mono"]); ok {
			list = append(list, beat{mono, r.Time})
		}
	}
	slices.SortStableFunc(list, func(a, b beat) int { return cmp.Compare(a.at, b.at) })
	return list
}

func (x *index) misses() []miss {
	var list []miss
	for _, r := range x.byName[results.GuestTickMiss] {
		end, ok := nanoseconds(r.Attrs["mono"])
		if ok && r.Value > 0 && r.Value < maxOffset {
			list = append(list, miss{end - int64(r.Value*1e9), end, r.Time})
		}
	}
	return list
}
