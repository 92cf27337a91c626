package spec

import (
	"fmt"
	"math"
	"math/bits"
)

// maxScale bounds scale, as its tag does.
const maxScale = 1000

// SetScale overrides the file's scale. The treatments are to be validated again: plan.Make does.
func (e *Experiment) SetScale(x float64) error {
	if !(x > 0 && x <= maxScale) { // NaN too
		return fmt.Errorf("set scale to %v: want a number above 0 to %d", x, maxScale)
	}
	e.Scale = x
	return nil
}

// Scaled is e with its scale worked into every amount and rate of data, and a scale of 1. It shares nothing with e. What has
// to come in whole steps is rounded to them, and never to none: memory and disks to MiB, other memory and the disk's area to
// pages (the memory of a trace's jobs too), the limit of dirty-limit to MiB/s, the cache of xbzrle down to a power of two. Durations, counts and the sizes of
// writes, deltas, blocks, requests and values stay.
func (e *Experiment) Scaled() *Experiment {
	out := e.Clone()
	if e.Scale == 1 || e.Scale == 0 { // 0: made by a program
		return out
	}
	s := scaler(e.Scale)
	s.testbed(&out.Testbed)
	out.Guest.Memory = s.whole(out.Guest.Memory, mib)
	out.Guest.Substrate.Memory = s.whole(out.Guest.Substrate.Memory, mib)
	out.Guest.Check = s.whole(out.Guest.Check, page)
	if d := out.Guest.Disk; d != nil {
		d.Size = s.whole(d.Size, mib)
	}
	s.workload(&out.Workload)
	if m := out.Action.Migrate; m != nil {
		s.migrate(m)
	}
	if j := out.Action.Jobs; j != nil {
		s.jobs(j)
	}
	out.Scale = 1
	return out
}

// A scaler multiplies.
type scaler float64

func (s scaler) rate(r Rate) Rate { return r * Rate(s) }

// whole is b scaled to a multiple of step, and at least one step if b is not 0. An overflow becomes the most that there is.
func (s scaler) whole(b, step Bytes) Bytes {
	if b <= 0 {
		return b
	}
	steps := max(1, math.Round(float64(b)*float64(s)/float64(step)))
	if steps >= float64(math.MaxInt64/step) {
		return math.MaxInt64 / step * step
	}
	return Bytes(steps) * step
}

func (s scaler) testbed(t *Testbed) {
	s.link(&t.Link)
	if t.MigrationLink != nil {
		s.link(t.MigrationLink)
	}
	if t.CrossTraffic != nil {
		t.CrossTraffic.Rate = s.rate(t.CrossTraffic.Rate)
	}
}

// link scales the profile's rate too. What else the profile sets is not of data, and stays with it.
func (s scaler) link(l *Link) {
	l.Rate, l.Upload = s.rate(l.Effective().Rate), s.rate(l.Upload)
}

func (s scaler) workload(w *Workload) {
	w.Rate = s.rate(w.Rate)
	w.WorkingSet = s.whole(w.WorkingSet, page)
	w.Disk.Rate = s.rate(w.Disk.Rate)
	w.Disk.Area = s.whole(w.Disk.Area, page)
	w.Net.Rate = s.rate(w.Net.Rate)
	points, err := w.TracePoints()
	if err != nil {
		return // no replay, or reported as it stands
	}
	for i := range points {
		points[i].Rate = s.rate(points[i].Rate)
	}
	w.Trace = FormatTrace(points)
}

func (s scaler) migrate(m *Migrate) {
	m.MaxBandwidth = s.rate(m.MaxBandwidth)
	m.PostcopyBandwidth = s.rate(m.PostcopyBandwidth)
	m.DiskBandwidth = s.rate(m.DiskBandwidth)
	m.DirtyLimit = Rate(s.whole(Bytes(m.DirtyLimit), mib))
	m.XBZRLECache = powerOfTwo(s.whole(m.XBZRLECache, page))
}

// jobs scales the memory of the trace's jobs.
func (s scaler) jobs(j *Jobs) {
	list, err := j.all()
	if err != nil {
		return // reported as it stands
	}
	for i := range list {
		list[i].Memory = min(int64(s.whole(Bytes(list[i].Memory), page)), 1<<60) // more is refused, and could not be written
	}
	j.Trace = formatJobs(list)
}

// powerOfTwo rounds b down to a power of two.
func powerOfTwo(b Bytes) Bytes {
	if b <= 0 {
		return b
	}
	return 1 << (bits.Len64(uint64(b)) - 1)
}
