package timeline

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// A beat is one heartbeat: what the guest's clock said, and when it arrived at the host, in ns.
type beat struct{ mono, at int64 }

// beatWindow is how many heartbeats a minimum is taken over.
const beatWindow = 8

// A pulse is a guest's heartbeats, less its clock's drift: lag[i] = at − mono − drift·(mono − mono₀), in ns.
type pulse struct {
	beats  []beat
	lag    []float64
	drift  float64 // ns of host time a ns of guest time, less 1
	unsure float64 // drift's error either way
	spread float64 // ns: range of the window minima while nothing was done to the guest
	pace   float64 // s of guest time between heartbeats, on average
	dspan  float64 // ns of guest time over which drift was estimated
}

// newPulse estimates drift and spread from the beats of the baseline, or of all the time before the action if those are
// few: boot and warm-up are not as calm. Ok is false if there are too few before the action.
func newPulse(beats []beat, baseline window, action int64) (p pulse, ok bool) {
	from, to := firstBeat(beats, baseline.from), firstBeat(beats, action)
	if to-from < 4*beatWindow {
		from = 0
	}
	if to-from < 2*beatWindow || beats[to-1].mono <= beats[from].mono {
		return pulse{}, false
	}
	p = pulse{beats: beats, lag: make([]float64, len(beats)), dspan: float64(beats[to-1].mono - beats[from].mono)}
	p.pace = p.dspan / 1e9 / float64(to-from-1)
	p.level(0)
	flat := spread(p.lag[from:to])
	p.drift = p.slope(from, to)
	// A slope that moves the lag by less than the minima scatter is no drift.
	if math.Abs(p.drift)*p.dspan <= flat {
		p.unsure = math.Abs(p.drift) + flat/p.dspan
		p.drift, p.spread = 0, flat
		return p, true
	}
	p.level(p.drift)
	p.spread = spread(p.lag[from:to])
	p.unsure = 2 * p.spread / p.dspan
	return p, true
}

// wrong is the share from which on a guest's clock that runs at another rate than the host's is no drift: its kernel found a wrong rate
// for its counter.
const wrong = 0.01

// wrongRate says that a guest's clock cannot be trusted; "" if it can.
func (p *pulse) wrongRate() string {
	if math.Abs(p.drift)-p.unsure <= wrong {
		return ""
	}
	return fmt.Sprintf("the guest's clock ran at %.3g of the host's rate: what the guest paces and times by it, such as its workload's rate, is wrong by as much", 1/(1+p.drift))
}

// firstBeat is the index of the first beat at or after t.
func firstBeat(beats []beat, t int64) int {
	return sort.Search(len(beats), func(i int) bool { return beats[i].at >= t })
}

func (p *pulse) level(drift float64) {
	origin := p.beats[0]
	for i, b := range p.beats {
		mono := float64(b.mono - origin.mono)
		p.lag[i] = float64(b.at-origin.at) - mono - drift*mono
	}
}

// slope is the median slope between the minima of separate windows (Theil and Sen), which late beats do not bend.
func (p *pulse) slope(from, to int) float64 {
	var x, y []float64
	for i := from; i+beatWindow <= to; i += beatWindow {
		k := i
		for j := i; j < i+beatWindow; j++ {
			if p.lag[j] < p.lag[k] {
				k = j
			}
		}
		x, y = append(x, float64(p.beats[k].mono)), append(y, p.lag[k])
	}
	step := max(1, len(x)/64) // at most some 2000 pairs
	var slopes []float64
	for i := 0; i < len(x); i += step {
		for j := i + step; j < len(x); j += step {
			if x[j] > x[i] {
				slopes = append(slopes, (y[j]-y[i])/(x[j]-x[i]))
			}
		}
	}
	if len(slopes) == 0 {
		return 0
	}
	slices.Sort(slopes)
	return slopes[len(slopes)/2]
}

// spread is the range of the minima of all windows.
func spread(lag []float64) float64 {
	low, high := math.Inf(1), math.Inf(-1)
	for i := 0; i+beatWindow <= len(lag); i++ {
		m := slices.Min(lag[i : i+beatWindow])
		low, high = min(low, m), max(high, m)
	}
	return max(0, high-low)
}

// A standstill is a time for which the guest's clock stood still, between guest times from and to.
type standstill struct {
	length, bound float64 // ns; bound is the error either way
	from, to      int64   // guest's clock
	before, after int64   // arrival of the beats that enclose it; the window it was looked for in if there may be none
}

// standstill is the largest step of the lag between two beats of which the second arrived within w. The step is the
// minimum over the beats that follow less the minimum over those that precede. Ok is false if no beats follow.
func (p pulse) standstill(w window) (s standstill, ok bool) {
	best := -1
	level := 0.0 // the lag before
	for i := 0; i+1 < len(p.beats); i++ {
		if !w.holds(p.beats[i+1].at) || i+1 < beatWindow/2 || len(p.beats)-i-1 < beatWindow/2 {
			continue
		}
		before := slices.Min(p.lag[max(0, i+1-beatWindow) : i+1])
		after := slices.Min(p.lag[i+1 : min(len(p.lag), i+1+beatWindow)])
		if best < 0 || after-before > s.length {
			best, level, s.length = i, before, after-before
		}
	}
	if best < 0 {
		return s, false
	}
	s.bound = p.bound(best)
	if s.length <= s.bound {
		// Noise alone makes such a step: the clock may not have stood still at all.
		return standstill{length: max(0, s.length/2), bound: s.bound, before: w.from, after: w.to}, true
	}
	p.locate(&s, best, level)
	return s, true
}

// bound is the error of a step after beat i. Each minimum is late by some delay; two windows of the calm time differ by at
// most spread, and the windows beside the step are new draws, for which twice that is allowed. The scatter after the step
// counts as well: the destination may be noisier.
func (p pulse) bound(i int) float64 {
	scatter := p.spread
	if rest := p.lag[min(len(p.lag), i+1+beatWindow):]; len(rest) >= beatWindow {
		scatter = max(scatter, min(spread(rest), 10*p.spread))
	}
	lo, hi := max(0, i+1-beatWindow), min(len(p.beats), i+1+beatWindow)-1
	apart := float64(p.beats[hi].mono - p.beats[lo].mono)
	scatter *= 1 + apart/p.dspan
	return 2*scatter + 1000 // 1 µs: neither clock is read at the very instant
}

// locate finds between which beats the clock stood still. From then on no lag is below the new level, so the last beat
// that is came before; the first one at the new level came after.
func (p pulse) locate(s *standstill, best int, level float64) {
	raised := level + s.length
	lo := max(0, best+1-beatWindow)
	hi := min(len(p.lag)-1, best+beatWindow)
	last := lo
	for i := lo; i <= hi; i++ {
		if p.lag[i] < raised-s.bound {
			last = i
		}
	}
	first := hi
	for i := last + 1; i <= hi; i++ {
		if p.lag[i] <= raised+s.bound {
			first = i
			break
		}
	}
	s.from, s.to = p.beats[last].mono, p.beats[first].mono
	s.before, s.after = p.beats[last].at, p.beats[first].at
}
