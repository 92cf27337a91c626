package timeline

import (
	"fmt"
	"math"
	"slices"
	"virtscope/analysis/convergence"
	"virtscope/analysis/degradation"
	"virtscope/results"
)

// A Trace is one quantity over the whole of a trial, with every reading that its records have: no two are averaged. Times are in ns
// since the action began and rise. A value that is NaN says that nothing is known from the point before to the point after.
type Trace struct {
	Panel string // what is drawn on the same axes
	Label string
	Unit  results.Unit
	Rate  bool // V is the mean over the time since the point before
	Hold  bool // V holds until the point after; neither: V is of the instant
	T     []int64
	V     []float64
}

// Traces are those of a trial that have two points or more.
type Traces struct {
	From, To int64 // what is shown first: from a second before the action until the guest is no longer watched
	List     []Trace
}

// Panels of traces.
const (
	PanelLink    = "throughput on the link"
	PanelDirty   = "dirty rate, as the hypervisor says"
	PanelEcho    = "echo latency"
	PanelCPU     = "CPU"
	PanelService = "latency that clients saw, 99th percentile of a bin"
	PanelWork    = "work and service, against the baseline"
)

// BuildTraced is BuildWithin, and what a viewer shows. Traces hold 16 bytes for each reading: pack them before the next trial.
func BuildTraced(o results.Outcome, records []results.Record, limits convergence.Limits) (*Timeline, Traces, error) {
	t, x, err := build(o, records, limits)
	if err != nil {
		return nil, Traces{}, err
	}
	return t, x.traces(t), nil
}

func (x *index) traces(t *Timeline) Traces {
	origin, whole := t.ActionBegin.Time, window{t.Begin.Time, t.End.Time}
	if origin == 0 {
		return Traces{} // the action did not begin: there is no time to count from
	}
	shown := window{max(whole.from, origin-int64(1e9)), t.ActionEnd.Time}
	if quiet, found := state(t.States, results.StateQuiesce); found {
		shown.to = max(shown.to, quiet.to)
	}
	all := Traces{From: shown.from - origin, To: shown.to - origin}
	add := func(one Trace) {
		if len(one.T) > 1 {
			all.List = append(all.List, one)
		}
	}
	for _, which := range []string{results.FlowMigration, results.FlowDisk} {
		add(x.readFlowOf(which, results.FlowPayload, "forward").trace(which, origin))
	}
	add(x.dirtyTrace(t, origin))
	add(x.echoTrace(origin))
	for _, s := range x.cpuSeries(origin, whole, leastStep) {
		add(cpuTrace(s))
	}
	for _, s := range t.Services {
		add(latencyTrace(s))
		add(ratioTrace(s))
	}
	return all
}

// point appends a point; of two at one time the first is kept, but what is known is kept before what is not.
func (t *Trace) point(at int64, v float64) {
	if n := len(t.T); n > 0 && at <= t.T[n-1] {
		if at == t.T[n-1] && math.IsNaN(t.V[n-1]) {
			t.V[n-1] = v
		}
		return
	}
	t.T, t.V = append(t.T, at), append(t.V, v)
}

// trace is the flow's rate, bin by bin. A bin in which nothing was captured has no record, and is 0.
func (f flow) trace(label string, origin int64) Trace {
	t := Trace{Panel: PanelLink, Label: label, Unit: results.BytesPerSecond, Rate: true}
	for i := 0; i < len(f.bins); {
		from, to, bytes := f.bins[i].from, f.bins[i].to, 0.0
		for ; i < len(f.bins) && f.bins[i].from == from; i++ { // late frames have a bin of their own
			bytes += f.bins[i].bytes
		}
		t.point(from-origin, 0)
		t.point(to-origin, bytes/seconds(to-from))
	}
	return t
}

// dirtyTrace is what the hypervisor reported whenever it was asked, until the guest stopped. Until it has synchronised twice and a second
// has passed, 0 says that it has not computed any yet (see counters.dirtyRate).
func (x *index) dirtyTrace(t *Timeline, origin int64) Trace {
	one := Trace{Panel: PanelDirty, Label: "dirty rate", Unit: results.BytesPerSecond, Hold: true}
	until := t.ActionEnd.Time
	if stop := t.Outage(Downtime).From; stop > 0 {
		until = stop
	}
	computed := until
	if len(t.Rounds) > 1 && t.Rounds[1].N > 0 {
		computed = max(t.Rounds[1].Start.Time, t.Rounds[0].Start.Time+1e9)
	}
	for _, r := range x.byName[results.MigrationDirtyRate] {
		switch {
		case r.Time < t.ActionBegin.Time || r.Time > until:
		case r.Value == 0 && r.Time < computed:
			one.point(r.Time-origin, math.NaN())
		default:
			one.point(r.Time-origin, r.Value)
		}
	}
	return one
}

// gapSteps is by how many times the usual step two readings must be apart for the time between them to be a gap.
const gapSteps = 5

// echoTrace is the round trip of each probe, at the time of its sending. One that was never answered is a gap, as is a time in which
// none was sent.
func (x *index) echoTrace(origin int64) Trace {
	t := Trace{Panel: PanelEcho, Label: "round trip", Unit: results.Seconds}
	probes := x.probes()
	step := median(probes, func(p probe) int64 { return p.sent })
	for i, p := range probes {
		if i > 0 && p.sent-probes[i-1].sent > gapSteps*step {
			// Midway: packed to whole µs, it must not fall on either of them.
			t.point(probes[i-1].sent+(p.sent-probes[i-1].sent)/2-origin, math.NaN())
		}
		v := math.NaN()
		if p.answered != 0 {
			v = seconds(p.answered - p.sent)
		}
		t.point(p.sent-origin, v)
	}
	return t
}

// median is that of the steps between neighbours.
func median[E any](list []E, at func(E) int64) int64 {
	var steps []int64
	for i := 1; i < len(list); i++ {
		steps = append(steps, at(list[i])-at(list[i-1]))
	}
	if len(steps) == 0 {
		return 0
	}
	slices.Sort(steps)
	return steps[len(steps)/2]
}

// cpuTrace has a gap where the sampler did not read for long: how the time was used in between is not known.
func cpuTrace(s Series) Trace {
	t := Trace{Panel: PanelCPU, Label: s.Label, Unit: s.Unit, Rate: true}
	if s.Host != "" && s.Host != s.Label {
		t.Label = s.Host + " " + s.Label
	}
	at := func(p Point) int64 { return int64(math.Round(p.T * 1e9)) }
	step := median(s.Points, at)
	for i, p := range s.Points {
		v := p.V
		if i > 0 && at(p)-at(s.Points[i-1]) > gapSteps*step {
			v = math.NaN()
		}
		t.point(at(p), v)
	}
	return t
}

func latencyTrace(s degradation.Service) Trace {
	t := Trace{Panel: PanelService, Label: s.Name, Unit: results.Seconds, Rate: true}
	for _, p := range s.Series.Latency {
		from, to := int64(math.Round(p.T*1e9)), int64(math.Round((p.T+p.Width)*1e9))
		t.point(from, math.NaN())
		if p.P99 == nil {
			t.point(to, math.NaN())
			continue
		}
		t.point(to, *p.P99)
	}
	return t
}

func ratioTrace(s degradation.Service) Trace {
	t := Trace{Panel: PanelWork, Label: s.Name, Unit: results.One, Rate: true}
	for _, p := range s.Series.Ratios {
		t.point(int64(math.Round(p.T*1e9)), math.NaN())
		t.point(int64(math.Round((p.T+p.Width)*1e9)), p.Ratio)
	}
	return t
}

// Check is nil if the trace is one that can be packed.
func (t Trace) Check() error {
	if len(t.T) != len(t.V) {
		return fmt.Errorf("trace %s: %d times, %d values", t.Label, len(t.T), len(t.V))
	}
	for i := 1; i < len(t.T); i++ {
		if t.T[i] <= t.T[i-1] {
			return fmt.Errorf("trace %s: time %d does not rise", t.Label, i)
		}
	}
	return nil
}
