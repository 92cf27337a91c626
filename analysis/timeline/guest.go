package timeline

import (
	"cmp"
	"fmt"
	"slices"
	"virtscope/results"
)

// silentFor is for how long, in s, an agent may be silent at the end before it counts as lost.
const silentFor = 0.25

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
	out := Outage{Name: BlackoutGuest, FloorLength: seconds(o.baseline.length()), Raw: unknown(results.Seconds, "no two events of the guest bound it")}
	out.Floor = unknown(results.Seconds, "too few heartbeats arrived in the baseline")
	if s, ok := p.standstill(o.baseline); ok {
		// A step in the baseline is noise, not a stop: the whole of what the estimate makes of it is the floor.
		g, _ := t.outage(s, misses, o.baseline, p)
		out.Floor = g.outage
	}
	s, ok := p.standstill(o.span)
	// Beats after the observation do not fill a silence within it.
	heard := beats[max(0, firstBeat(beats, o.span.to)-1)].at
	if quiet := seconds(o.span.to - heard); !ok || quiet > max(silentFor, 10*p.pace) {
		out.Quantity = unknown(results.Seconds, fmt.Sprintf("the guest's agent was not heard for the last %s of the observation: the guest, its timers or its channel were stuck", showDuration(quiet)))
		return out
	}
	g, detail := t.outage(s, misses, o.span, p)
	out.Quantity, out.From, out.To = g.outage, g.from, g.to
	out.Detail = append(detail, fmt.Sprintf("ticker interval %s, steps above %s are reported; clock drift %.0f ppm",
		showDuration(t.interval), showDuration(t.threshold), p.drift*1e6))
	return out
}

// A ticker ticks every interval; a step above threshold is reported. Both in s.
type ticker struct{ interval, threshold float64 }

// outage is the longest of the standstill, joined with the miss that meets it, and the other misses within w.
func (t ticker) outage(s standstill, misses []miss, w window, p pulse) (g gap, detail []string) {
	still, bound := s.length/1e9, s.bound/1e9
	g = gap{from: s.before, to: s.after, outage: within(still, max(0, still-bound), still+t.threshold+bound, results.Seconds)}
	detail = []string{fmt.Sprintf("the guest's clock stood still for %s ± %s", showDuration(still), showDuration(bound))}
	stopped := s.to > s.from
	for _, m := range misses {
		if !w.holds(m.at) {
			continue
		}
		step := seconds(m.end-m.start) * (1 + p.drift)
		slack := step*p.unsure + t.interval/2 // a tick is late by its thread's wake-up, for which half an interval is allowed
		alone := gap{from: m.at - (m.end - m.start), to: m.at}
		alone.outage = within(step-t.interval/2, max(0, step-t.interval-slack), step+slack, results.Seconds)
		if stopped && m.start < s.to && m.end > s.from {
			alone.from, alone.to = min(s.before, alone.from), max(s.after, alone.to)
			alone.outage = within(still+step-t.interval/2, max(0, max(still-bound, step-t.interval-slack)), still+step+bound+slack, results.Seconds)
		}
		if alone.outage.Value > g.outage.Value {
			g = alone
			detail = append(detail[:1], fmt.Sprintf("its ticker missed a step of %s on the guest's clock", showDuration(step)))
		}
	}
	return g, detail
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
