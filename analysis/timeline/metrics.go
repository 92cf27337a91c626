package timeline

import (
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A Metric is one number of a trial, by name.
type Metric struct {
	Name string `json:"name"`
	quantity.Quantity
}

// Names of the metrics of a migration beside the outages, and of every trial; package metric names those of other actions. A noise floor's name is its outage's with FloorSuffix.
const (
	TotalTime         = "total"             // s: from the request until the source was done and the guest ran at the destination (of a background snapshot: until the source was done)
	TotalReported     = "total.reported"    // s: the hypervisor's own figure
	RoundCount        = "rounds"            // 1: bitmap synchronisations while the guest ran
	BytesPayload      = "bytes.payload"     // B: TCP payload from source to destination at the switch, retransmissions included
	BytesWire         = "bytes.wire"        // B: the frames that carried it
	BytesTransferred  = "bytes.transferred" // B: the hypervisor's own figure
	PagesNormal       = "pages.normal"      // 1: pages sent whole, as the hypervisor counts
	PagesZero         = "pages.zero"        // 1: pages sent as "zero"
	CPUSource         = "cpu.source"        // s of CPU that the source's hypervisor used in the action
	CPUDestination    = "cpu.destination"   // s
	CPUMigration      = "cpu.migration"     // s: the migration threads of both
	DirtyRateBaseline = "dirty.rate"        // B/s that the workload wrote in the baseline
	DirtyAsked        = "dirty.asked"       // B/s that it was asked to write then; present only where a rate was asked for
	DirtyShare        = "dirty.share"       // 1: what it wrote of what it was asked for, in the baseline; present as the one above
	DirtyRateAction   = "dirty.rate.action" // B/s that it wrote in the action
	ProbesCPU         = "probe.cpu"         // 1: share of one core that all probes used
	OverheadTime      = "overhead"          // s: wall time outside boot, warm-up, baseline, action and quiesce
	MemoryVerified    = "memory.verified"   // B
	MemoryCorrupt     = "memory.corrupt"    // 1: pages
	CaptureDrops      = "capture.dropped"   // 1: frames
	RecordDrops       = "records.dropped"   // 1
	SilenceScripted   = "silence.scripted"  // s: from the scripted guest's last frame to its first, by its own word; present only there
	FloorSuffix       = ".floor"            // s: the same estimate on the baseline
	SwitchoverSuffix  = ".switchover"       // s: the gap that spans the guest's stop; the outage itself if that is its longest
)

// measure fills Metrics; m is nil if the action did not begin.
func (t *Timeline) measure(x *index, o results.Outcome, m *migration, obs observation) {
	add := func(name string, q quantity.Quantity) { t.Metrics = append(t.Metrics, Metric{name, q}) }
	add(TotalTime, t.totalTime(m))
	reported := x.final(results.ReportedTotalTime, results.Seconds)
	if reported.Known {
		reported = quantity.Within(reported.Value, max(0, reported.Value-0.001), reported.Value+0.001, results.Seconds)
	}
	add(TotalReported, reported)
	for _, out := range t.Outages {
		add(out.Name, out.Quantity)
		switch out.Name {
		case BlackoutWire, BlackoutClient:
			add(out.Name+SwitchoverSuffix, out.switchover(obs))
			add(out.Name+FloorSuffix, out.Floor)
		case BlackoutGuest:
			add(out.Name+FloorSuffix, out.Floor)
		}
	}
	if s, ok := x.scripted(); ok {
		add(SilenceScripted, s)
	}
	add(RoundCount, roundCount(m))
	add(BytesPayload, x.readFlow(results.FlowPayload, "forward").sum())
	add(BytesWire, x.readFlow(results.FlowBytes, "forward").sum())
	add(BytesTransferred, x.final(results.MigrationTransferred, results.Bytes))
	add(PagesNormal, x.final(results.MigrationPages, results.One, "kind", "normal"))
	add(PagesZero, x.final(results.MigrationPages, results.One, "kind", "zero"))
	t.measureCPU(x, m, add)
	add(DirtyRateBaseline, x.dirtyRate(obs.baseline, "there was no baseline"))
	add(DirtyRateAction, x.dirtyRate(window{t.ActionBegin.Time, t.ActionEnd.Time}, "the action did not begin"))
	t.measureAsked(x, obs.baseline, add)
	x.measureTrial(o, add)
	t.measureNoise(x, obs)
	t.measureWire(add)
	t.measureDisk(x, obs, add)
	if m != nil {
		t.measureAlgorithm(x, m, add)
		m.measureFaults(add)
		t.censor(m)
	}
}

// measureTrial adds what every trial has, whatever its action.
func (x *index) measureTrial(o results.Outcome, add func(string, quantity.Quantity)) {
	add(ProbesCPU, x.probesCPU())
	if o.Overhead < 0 {
		add(OverheadTime, quantity.Unknown(results.Seconds, "nobody measured it"))
	} else {
		add(OverheadTime, quantity.Exactly(o.Overhead.Seconds(), results.Seconds))
	}
	add(MemoryVerified, x.total(results.MemoryVerified, results.Bytes, "the guest's memory was not verified"))
	add(MemoryCorrupt, x.total(results.MemoryCorrupt, results.One, "the guest's memory was not verified"))
	add(CaptureDrops, x.total(results.CaptureDropped, results.One, "no capture said what it dropped"))
	add(RecordDrops, quantity.Exactly(float64(o.Dropped), results.One))
}

func (t *Timeline) measureCPU(x *index, m *migration, add func(string, quantity.Quantity)) {
	if m == nil {
		for _, name := range []string{CPUSource, CPUDestination, CPUMigration} {
			add(name, quantity.Unknown(results.Seconds, "the action did not begin"))
		}
		return
	}
	from, to := t.ActionBegin.Time, t.ActionEnd.Time
	add(CPUSource, x.processCPU(roleSource, from, to))
	add(CPUDestination, x.processCPU(roleDestination, from, to))
	add(CPUMigration, x.migrationCPU(from, to))
}

// Metric returns a metric by name; an unknown one if the trial has none of that name.
func (t *Timeline) Metric(name string) Metric {
	for _, m := range t.Metrics {
		if m.Name == name {
			return m
		}
	}
	return Metric{name, quantity.Unknown(results.One, "this trial has no such metric")}
}

// totalTime is the total migration time. Of a migration that did not end well it is at least what was spent on it.
func (t *Timeline) totalTime(m *migration) quantity.Quantity {
	switch {
	case m == nil:
		return quantity.Unknown(results.Seconds, "the action did not begin")
	case m.calledOff():
		return quantity.Unknown(results.Seconds, "cancelled on purpose")
	case m.kill != nil && (m.completed == nil || m.completed.Time > m.kill.Time):
		return quantity.Unknown(results.Seconds, "the destination was killed on purpose")
	case m.failed != nil, m.rolledBack, t.Verdict == results.Failed && !t.arrived(m):
		spent := between(t.ActionBegin, t.ActionEnd)
		return quantity.AtLeast(spent.Value, results.Seconds, "the migration did not complete")
	case m.snapshot() && m.completed != nil:
		return between(t.ActionBegin, *m.completed)
	case m.resume == nil:
		return quantity.Unknown(results.Seconds, "no hypervisor reported that the guest ran at the destination")
	case m.completed == nil && t.hasStatus():
		return quantity.Unknown(results.Seconds, "the source did not report that it was done")
	case m.completed != nil && m.completed.Time > m.resume.Time:
		return between(t.ActionBegin, *m.completed)
	}
	return between(t.ActionBegin, *m.resume)
}

// arrived reports whether the migration itself completed. A trial whose guest was corrupted by it, or lost after it, has failed, and
// its migration took as long as it took.
func (t *Timeline) arrived(m *migration) bool {
	switch {
	case m.snapshot():
		return m.completed != nil
	case m.resume == nil || m.rolledBack:
		return false
	}
	return m.completed != nil || !t.hasStatus()
}

// hasStatus reports whether this hypervisor reports migration statuses at all.
func (t *Timeline) hasStatus() bool {
	for _, m := range t.Marks {
		if m.Edge.What == results.MigrationStatus {
			return true
		}
	}
	return false
}

func (o Outage) switchover(obs observation) quantity.Quantity {
	switch {
	case o.Switchover != nil:
		return *o.Switchover
	case obs.stopped == nil:
		return quantity.Unknown(results.Seconds, "the hypervisors did not report when the guest stopped and ran again")
	}
	return o.Quantity
}

func roundCount(m *migration) quantity.Quantity {
	switch {
	case m != nil && m.stoppedFirst(), m != nil && m.snapshot() && m.completed != nil:
		return quantity.Exactly(0, results.One)
	case m == nil || len(m.passes) == 0:
		return quantity.Unknown(results.One, "the hypervisor reported no bitmap synchronisation")
	}
	return quantity.Exactly(float64(len(m.passes)), results.One)
}

// scripted is the longest silence that a scripted guest made, between its own frames; ok is false where none was scripted.
// It falls silent on one host and speaks again on the other.
func (x *index) scripted() (q quantity.Quantity, ok bool) {
	for _, b := range x.byName[results.SilenceBegin] {
		for _, e := range x.byName[results.SilenceEnd] {
			d := x.edge(e).Time - x.edge(b).Time
			if d < 0 {
				continue
			}
			if s := seconds(d); !ok || s > q.Value {
				q, ok = quantity.Exactly(s, results.Seconds), true
			}
			break
		}
	}
	return q, ok
}

// total adds up all records of a name.
func (x *index) total(name string, u results.Unit, why string) quantity.Quantity {
	list := x.byName[name]
	if len(list) == 0 {
		return quantity.Unknown(u, why)
	}
	var sum float64
	for _, r := range list {
		sum += r.Value
	}
	return quantity.Exactly(sum, u)
}

// dirtyRate is what the workload wrote per second of the host's time. Its reports carry no host time of the write, so
// either end may be off by one report's interval.
func (x *index) dirtyRate(w window, why string) quantity.Quantity {
	if w.length() <= 0 {
		return quantity.Unknown(results.BytesPerSecond, why)
	}
	if all := x.byName[results.GuestDirtied]; len(all) > 0 && all[len(all)-1].Value == 0 {
		return quantity.Unknown(results.BytesPerSecond, "the workload counts no memory that it writes")
	}
	return x.counted(x.growth(results.GuestDirtied, w))
}

// growth is by how much a report of the workload grew per second within w.
func (x *index) growth(name string, w window) quantity.Quantity {
	const u = results.BytesPerSecond
	list := x.in(name, w)
	if len(list) < 3 {
		return quantity.Unknown(u, "fewer than three reports of the workload arrived in that time")
	}
	first, last := list[0], list[len(list)-1]
	d, wrote := seconds(last.Time-first.Time), last.Value-first.Value
	if d <= 0 || wrote < 0 {
		return quantity.Unknown(u, "the workload's reports do not advance")
	}
	step := d / float64(len(list)-1)
	return quantity.Within(wrote/d, wrote/(d+step), wrote/(d-step), u)
}

// probesCPU is the share of one core that the probes used while they ran.
func (x *index) probesCPU() quantity.Quantity {
	wall := map[string]float64{}
	for _, r := range x.byName[results.ProbeWall] {
		wall[r.Source+"@"+r.Host] = r.Value
	}
	var share float64
	n := 0
	for _, r := range x.byName[results.ProbeCPU] {
		if w := wall[r.Source+"@"+r.Host]; w > 0 {
			share += r.Value / w
			n++
		}
	}
	if n == 0 {
		return quantity.Unknown(results.One, "no probe said what it cost")
	}
	return quantity.Exactly(share, results.One)
}
