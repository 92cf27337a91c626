package timeline

import (
	"fmt"
	"slices"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

const (
	stallThreshold = 0.05  // s: a write that takes longer is reported by itself (results.GuestDiskStall)
	diskBin        = 0.1   // s: what GuestDiskTimes sums up
	mostWrite      = 86400 // s: a write that took longer is not believed
)

// A diskWrite is a long write of the guest. Start and end are on the guest's clock.
type diskWrite struct {
	took       float64 // s of guest time
	start, end int64
	at         int64 // arrival of its report at the host
}

// diskStall is the disk's outage as the guest's own writes saw it, in real time, over the action and the quiet time after
// it; floor is the same for the baseline.
//
// The guest measures a write on its own clock, which stands still while the guest is stopped. So a write that was under way
// when the guest stopped lasted the guest's time p and the hypervisors' downtime S: S + p. The heartbeats tell between which
// times of the guest's clock the stop lies. Where a write only shares that span with the stop, it is not sure that it spans it:
// then the value is S + p, and the lower bound that of the longer one. If no long write was under way, one that the guest
// did not report, of at most 50 ms, may have been: the value is S, in [S, S + 50 ms]. That a stopped guest is served no
// write counts as an outage even if it asked for none. Writes that a copy holds up (write-blocking, copy before
// write) count whole, in the guest's time, which is then the real one.
//
// The error of the guest's own clock while it runs, some 100 ppm, is left out.
func (x *index) diskStall(o observation, downtime quantity.Quantity) (stall, floorOf quantity.Quantity) {
	writes := x.diskWrites()
	gaps := diskGaps(writes, nil, quantity.Quantity{}, nil)
	floorOf = floor(gaps, o.baseline)
	if o.stopped != nil && downtime.Known && !downtime.Censored {
		gaps = diskGaps(writes, o.stopped, downtime, x.placeStop(o))
	}
	if why := x.diskSilence(o, gaps); why != "" {
		return quantity.Unknown(results.Seconds, why), floorOf
	}
	g, ok := longest(since(gaps, o.action), o.span)
	if !ok {
		return quantity.Unknown(results.Seconds, "the guest reported no write in that time"), floorOf
	}
	return g.outage, floorOf
}

// diskWrites are the long writes, and the longest one of each tenth of a second in which no long one ended.
func (x *index) diskWrites() []diskWrite {
	var stalls, list []diskWrite
	for _, r := range x.byName[results.GuestDiskStall] {
		if end, ok := nanoseconds(r.Attrs["mono"]); ok && r.Value > 0 && r.Value < mostWrite {
			stalls = append(stalls, diskWrite{took: r.Value, start: end - int64(r.Value*1e9), end: end, at: r.Time})
		}
	}
	for _, r := range x.byName[results.GuestDiskTimes] {
		end, ok := nanoseconds(r.Attrs["mono"])
		if !ok || r.Value < 0 || r.Value >= mostWrite {
			continue
		}
		// When in the tenth of a second it ended is not known.
		w := diskWrite{took: r.Value, start: end - int64((r.Value+diskBin)*1e9), end: end, at: r.Time}
		told := func(s diskWrite) bool {
			return s.end >= end-int64(2*diskBin*1e9) && s.end <= end && s.took > w.took-0.001
		}
		if !slices.ContainsFunc(stalls, told) {
			list = append(list, w)
		}
	}
	return append(list, stalls...)
}

// diskGaps are the writes, and the stop. Place says where the stop lies on the guest's clock; nil if that is not known.
func diskGaps(writes []diskWrite, stopped *window, downtime quantity.Quantity, place *standstill) []gap {
	var list []gap
	joined := false
	for _, w := range writes {
		g := gap{from: w.at - (w.end - w.start), to: w.at, outage: quantity.Exactly(w.took, results.Seconds)}
		if stopped != nil && w.took >= stallThreshold && w.meets(stopped, downtime, place) {
			joined = true
			g.from, g.to = min(stopped.from, g.from-int64(downtime.Value*1e9)), max(stopped.to, g.to)
			low := max(w.took, downtime.Low)
			if place != nil && w.start <= place.from && w.end >= place.to {
				low = downtime.Low + w.took
			}
			g.outage = quantity.Within(downtime.Value+w.took, low, downtime.High+w.took, results.Seconds)
		}
		list = append(list, g)
	}
	if stopped == nil {
		return list
	}
	still := gap{from: stopped.from, to: stopped.to, outage: quantity.Within(downtime.Value, downtime.Low, downtime.High, results.Seconds)}
	if !joined {
		still.outage = quantity.Within(downtime.Value, downtime.Low, downtime.High+stallThreshold, results.Seconds)
	}
	return append(list, still)
}

// meets reports whether a write may have been under way when the guest stopped. Without the stop's place on the guest's clock,
// the arrival of its report decides, which is late by an unknown delay.
func (w diskWrite) meets(stopped *window, downtime quantity.Quantity, place *standstill) bool {
	if place != nil {
		return w.start < place.to && w.end > place.from
	}
	began := w.at - (w.end - w.start) - int64(downtime.High*1e9)
	return w.at >= stopped.to && began <= stopped.from
}

// placeStop finds the stop on the guest's clock: between the last heartbeat that arrived before it, and the second that
// arrived after it, because one may have been on its way. It is nil if there are none.
func (x *index) placeStop(o observation) *standstill {
	beats := x.beats()
	before, after := firstBeat(beats, o.stopped.from)-1, firstBeat(beats, o.stopped.to)+1
	if before < 0 || after >= len(beats) {
		return nil
	}
	return &standstill{from: beats[before].mono, to: beats[after].mono, before: beats[before].at, after: beats[after].at}
}

// diskSilence says why a write may have been longer than any that was reported: none was done any more.
func (x *index) diskSilence(o observation, gaps []gap) string {
	last, done := int64(0), 0.0
	for _, name := range []string{results.GuestDiskStall, results.GuestDiskTimes} {
		if list := x.byName[name]; len(list) > 0 {
			last = max(last, list[len(list)-1].Time)
		}
	}
	for _, r := range x.byName[results.GuestWork] {
		if isDiskWork(r) && r.Value > done {
			last, done = max(last, r.Time), r.Value
		}
	}
	quiet, limit := seconds(o.span.to-last), float64(silentFor)
	for _, g := range gaps {
		limit = max(limit, g.outage.Value)
	}
	if quiet <= limit {
		return ""
	}
	return fmt.Sprintf("the guest's disk workload did nothing for the last %s of the observation, nor later: a write may hang, or it ended", quantity.Duration(quiet))
}
