package timeline_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"virtscope/analysis/quantity"
	"virtscope/analysis/timeline"
	"virtscope/analysis/timeline/timelinetest"
	"virtscope/results"
)

// A diskWorld is a scenario of a migration to which the records of a disk are added.
type diskWorld struct {
	t            *testing.T
	outcome      results.Outcome
	records      []results.Record
	origin       int64
	stop, resume int64 // ns since the origin
	begin, end   int64 // of the action
	last         int64
}

func newDiskWorld(t *testing.T, s timelinetest.Scenario) *diskWorld {
	t.Helper()
	w := &diskWorld{t: t}
	w.outcome, w.records = s.Make()
	w.origin = w.outcome.Begin.UnixNano()
	for _, r := range w.records {
		at := r.Time - w.origin
		switch {
		case r.Name == results.VMStop:
			w.stop = at
		case r.Name == results.VMResume && r.Host == "dst":
			w.resume = at
		case r.Name == results.ActionBegin:
			w.begin = at
		case r.Name == results.ActionEnd:
			w.end = at
		}
		w.last = max(w.last, at)
	}
	return w
}

func (w *diskWorld) add(at int64, source, name string, v float64, u results.Unit, attrs ...string) {
	r := results.Record{Time: w.origin + at, Host: "controller", Source: source, Name: name, Value: v, Unit: u, Attrs: map[string]string{}}
	if source != results.SourceGuest {
		r.Host = "src"
	}
	for i := 0; i < len(attrs); i += 2 {
		r.Attrs[attrs[i]] = attrs[i+1]
	}
	w.records = append(w.records, r)
}

// mono is the guest's clock, which stands still in the outage.
func (w *diskWorld) mono(at int64) int64 {
	if at <= w.stop {
		return at
	}
	return max(w.stop, at-(w.resume-w.stop))
}

// write is a write of the guest between two times of the host.
func (w *diskWorld) write(from, to int64) {
	p := float64(w.mono(to)-w.mono(from)) / 1e9
	w.times(to, p)
	if p > 0.05 {
		w.add(to+200_000, results.SourceGuest, results.GuestDiskStall, p, results.Seconds, "mono", strconv.FormatInt(w.mono(to), 10))
	}
}

// times is the report of the tenth of a second in which a write ended.
func (w *diskWorld) times(to int64, longest float64) {
	said := (to/1e8 + 1) * 1e8
	w.add(said+200_000, results.SourceGuest, results.GuestDiskTimes, longest, results.Seconds, "mono", strconv.FormatInt(w.mono(said), 10))
}

// load writes quickly all the time.
func (w *diskWorld) load(longest float64) {
	for at := int64(12e8); at < w.last; at += 1e8 {
		if at+1e8 < w.stop || at > w.resume {
			w.times(at, longest)
		}
	}
}

func (w *diskWorld) build() *timeline.Timeline {
	w.t.Helper()
	tl, err := timeline.Build(w.outcome, w.records)
	if err != nil {
		w.t.Fatal(err)
	}
	return tl
}

func within(t *testing.T, what string, q quantity.Quantity, truth, most float64) {
	t.Helper()
	if !q.Known || q.Low > truth+1e-9 || q.High < truth-1e-9 {
		t.Errorf("%s is %+v, the truth %v", what, q, truth)
		return
	}
	if q.High-q.Low > most {
		t.Errorf("%s is in [%v, %v], further apart than %v", what, q.Low, q.High, most)
	}
}

// A write that spans the guest's stop lasts the guest's time and the standstill.
func TestDiskStallSpansTheStop(t *testing.T) {
	w := newDiskWorld(t, timelinetest.Default(3))
	w.load(0.004)
	from, to := w.stop-90e6, w.resume+150e6
	w.write(from, to)
	q := w.build().Metric(timeline.DiskStall).Quantity
	truth := float64(to-from) / 1e9
	within(t, "the stall", q, truth, 0.001)
	if guest := 0.24; q.Value < guest+0.07 {
		t.Errorf("the stall is %v s: the standstill is not in it", q.Value)
	}
}

// Wherever a write lies, the truth is within the bounds.
func TestDiskStallBounds(t *testing.T) {
	for seed := range uint64(60) {
		s := timelinetest.Default(seed)
		rng := rand.New(rand.NewPCG(seed, 9))
		s.Outage = time.Duration(5+rng.IntN(400)) * time.Millisecond
		w := newDiskWorld(t, s)
		w.load(0.003)
		from := w.stop - int64(rng.IntN(300)-100)*1e6
		if from > w.stop && from < w.resume {
			from = w.resume // a guest that stands still issues nothing
		}
		to := from + int64(51+rng.IntN(300))*1e6
		if from <= w.stop && to > w.stop {
			to += w.resume - w.stop
		}
		w.write(from, to)
		truth := max(float64(to-from), float64(w.resume-w.stop)) / 1e9
		within(t, fmt.Sprintf("seed %d: the stall", seed), w.build().Metric(timeline.DiskStall).Quantity, truth, 0.5)
	}
}

func TestDiskStallWithoutALongWrite(t *testing.T) {
	w := newDiskWorld(t, timelinetest.Default(4))
	w.load(0.004)
	tl := w.build()
	down := tl.Metric(timeline.Downtime)
	q := tl.Metric(timeline.DiskStall)
	if q.Value != down.Value || q.High < down.High+0.05 {
		t.Errorf("the stall is %+v, the downtime %+v: a write of 50 ms may have been under way", q, down)
	}
	if floor := tl.Metric(timeline.DiskStall + timeline.FloorSuffix); floor.Value != 0.004 {
		t.Errorf("the floor is %+v, want the baseline's longest write", floor)
	}
}

// A long write far from the stop is none of it.
func TestDiskStallElsewhere(t *testing.T) {
	s := timelinetest.Default(5)
	s.Outage = 20 * time.Millisecond
	w := newDiskWorld(t, s)
	w.load(0.004)
	w.write(w.stop-800e6, w.stop-500e6)
	within(t, "the stall", w.build().Metric(timeline.DiskStall).Quantity, 0.3, 0)
}

// A write that never came back is not the longest that was reported.
func TestDiskStallHangs(t *testing.T) {
	w := newDiskWorld(t, timelinetest.Default(6))
	for at := int64(12e8); at < w.stop-8e8; at += 1e8 {
		w.times(at, 0.004)
		w.add(at, results.SourceGuest, results.GuestWork, float64(at), results.One, "kind", "disk")
	}
	for at := w.stop - 7e8; at < w.last; at += 1e8 { // it says that it does no more
		w.add(at, results.SourceGuest, results.GuestWork, float64(w.stop-9e8), results.One, "kind", "disk")
	}
	if q := w.build().Metric(timeline.DiskStall); q.Known || !strings.Contains(q.Why, "may hang") {
		t.Errorf("the stall is %+v of a disk that serves no more", q)
	}
}

func TestDiskCopyMetrics(t *testing.T) {
	const qmp, b = results.SourceQMP, results.Bytes
	w := newDiskWorld(t, timelinetest.Default(7))
	plain := w.build()
	mirror := []string{"job", "mirror"}
	w.add(w.begin+1e5, qmp, results.DiskCopyBegin, 0, results.Event, mirror...)
	w.add(w.begin+9e5, qmp, results.DiskCopyReady, 0, results.Event, mirror...)
	for i, v := range []float64{10, 500, 1200} {
		w.add(w.begin+int64(i+2)*1e5, qmp, results.DiskCopied, v, b, mirror...)
	}
	w.add(w.stop+5e6, qmp, results.DiskCopyEnd, 0, results.Event, mirror...)
	for i, flow := range []string{results.FlowDisk, results.FlowDisk, results.FlowClient} {
		for name, v := range map[string]float64{results.FlowPayload: 600, results.FlowBytes: 650} {
			r := results.Record{Time: w.origin + w.begin + int64(i)*1e6, Host: "switch", Source: results.SourceCaptureSwitch, Name: name, Value: v, Unit: b}
			r.Attrs = map[string]string{"flow": flow, "dir": "forward", "bin": "0.001"}
			w.records = append(w.records, r)
		}
	}
	w.add(w.last, qmp, results.DiskCompared, 4096, b)
	w.add(w.last, qmp, results.DiskDiffers, 512, b)
	w.add(w.last, qmp, results.DiskWritten, 1024, b)
	tl := w.build()
	for name, want := range map[string]float64{
		timeline.BytesDisk: 1200, timeline.BytesDiskWire: 1300, timeline.DiskCopiedBytes: 1200,
		// What is the disk's, or the client's, is not the memory's.
		timeline.BytesMemory:   plain.Metric(timeline.BytesPayload).Value,
		timeline.BytesPayload:  plain.Metric(timeline.BytesPayload).Value,
		timeline.BytesWire:     plain.Metric(timeline.BytesWire).Value,
		timeline.DiskReadyTime: 8e-4, timeline.DiskCopyTime: float64(w.stop-w.begin+5e6-1e5) / 1e9,
		timeline.DiskComparedBytes: 4096, timeline.DiskDiffering: 512, timeline.DiskWrittenAfter: 1024,
	} {
		if q := tl.Metric(name); !q.Known || q.Value < want-1e-6 || q.Value > want+1e-6 || want == 0 {
			t.Errorf("%s is %+v, want %v", name, q, want)
		}
	}
	if a, b := plain.Throughput, tl.Throughput; len(a.Points) == 0 || fmt.Sprint(a) != fmt.Sprint(b) {
		t.Error("the disk's bytes are in the throughput of the memory")
	}
	for _, m := range plain.Metrics {
		if strings.Contains(m.Name, "disk") || m.Name == timeline.BytesMemory {
			t.Errorf("a trial without a disk has %s", m.Name)
		}
	}
	for _, m := range tl.Metrics {
		if m.Name == timeline.DiskStall || m.Name == timeline.DiskPasses {
			t.Errorf("a mirror without a workload on the disk has %s", m.Name)
		}
	}
}

// The disk is copied before the memory's turn, which the source's "setup" tells: neither is the other's.
func TestPhasesOfADisk(t *testing.T) {
	const qmp = results.SourceQMP
	w := newDiskWorld(t, timelinetest.Default(7))
	setup := w.begin + 1e6 // in every scenario
	w.add(w.begin+2e5, qmp, results.DiskCopyBegin, 0, results.Event, "job", "mirror")
	w.add(setup-2e5, qmp, results.DiskCopyReady, 0, results.Event, "job", "mirror")
	w.add(w.stop+5e6, qmp, results.DiskCopyEnd, 0, results.Event, "job", "mirror")
	tl := w.build()
	addUp(t, tl)
	want := "setup, disk copy, setup, pre-copy round 1, pre-copy round 2, pre-copy round 3, pre-copy round 4, stop-and-copy, switch-over, completion"
	if got := phaseNames(tl); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if d := tl.Phases[1].Duration(); d != time.Duration(setup-w.begin-2e5) {
		t.Errorf("the copy took %v", d)
	}
	if !strings.Contains(strings.Join(tl.Notes, "\n"), "its disk was complete 5.0") {
		t.Errorf("no note that the disk's last part is in the stop-and-copy: %q", tl.Notes)
	}
}

// What ends while the disk is copied leaves no word of the source's.
func TestPhasesOfABrokenDiskCopy(t *testing.T) {
	for _, c := range []struct {
		kind, phases, total string
		censored            bool
	}{
		{results.FaultCancel, "setup, disk copy, cancelling", "cancelled on purpose", false},
		{results.FaultKillDestination, "setup, disk copy, giving up", "the destination was killed on purpose", false},
		{"", "setup, disk copy", "the migration did not complete", true},
	} {
		w := newDiskWorld(t, timelinetest.Default(7))
		w.records = slices.DeleteFunc(w.records, func(r results.Record) bool { // no memory went, and the guest ran on
			return r.Source == results.SourceQMP && r.Time >= w.origin+w.begin || r.Source == results.SourceWire
		})
		w.add(w.begin+2e8, results.SourceQMP, results.DiskCopyBegin, 0, results.Event, "job", "mirror")
		w.outcome.Verdict = results.Failed
		if c.kind != "" {
			w.add(w.begin+5e8, results.SourceRunner, results.Fault, 0, results.Event, "kind", c.kind)
		}
		tl := w.build()
		addUp(t, tl)
		if got := phaseNames(tl); got != c.phases {
			t.Errorf("%q: got %s, want %s", c.kind, got, c.phases)
		}
		if q := tl.Metric(timeline.TotalTime); q.Known != c.censored || q.Censored != c.censored || q.Why != c.total {
			t.Errorf("%q: total %+v", c.kind, q.Quantity)
		}
		if tl.Source != "src" || c.kind == "" != (len(tl.Missing) == 1) {
			t.Errorf("%q: source %q, missing %q", c.kind, tl.Source, tl.Missing)
		}
		if q := tl.Metric(timeline.CancelTime); c.kind == results.FaultCancel && !strings.Contains(q.Why, "while the disk was copied") {
			t.Errorf("cancel time %+v", q.Quantity)
		}
	}
}

func TestIncrementalCopyMetrics(t *testing.T) {
	const qmp = results.SourceQMP
	w := newDiskWorld(t, timelinetest.Default(8))
	status := w.begin + 1e6 // the memory's turn, in every scenario
	for i, at := range []int64{w.begin + 1e5, w.begin + 4e5, w.stop + 1e6} {
		attrs := []string{"job", "backup", "pass", strconv.Itoa(i + 1)}
		w.add(at, qmp, results.DiskCopyBegin, 0, results.Event, attrs...)
		w.add(at+1e5, qmp, results.DiskCopied, 100, results.Bytes, attrs...)
		w.add(at+1e5, qmp, results.DiskCopied, 300, results.Bytes, attrs...)
		w.add(at+2e5, qmp, results.DiskCopyReady, 0, results.Event, attrs...)
	}
	tl := w.build()
	if q := tl.Metric(timeline.DiskCopiedBytes); q.Value != 900 || !q.Censored {
		t.Errorf("copied %+v, want at least 900: it did not end", q)
	}
	if q := tl.Metric(timeline.DiskCopyTime); !q.Censored {
		t.Errorf("the copy took %+v, and did not end", q)
	}
	w.add(w.stop+12e5, qmp, results.DiskCopyEnd, 0, results.Event, "job", "backup", "pass", "3")
	tl = w.build()
	if q := tl.Metric(timeline.DiskCopiedBytes); q.Value != 900 || q.Censored {
		t.Errorf("copied %+v, want 900", q)
	}
	if q := tl.Metric(timeline.DiskPasses); q.Value != 3 {
		t.Errorf("passes %+v", q)
	}
	within(t, "the time until the memory's turn", tl.Metric(timeline.DiskReadyTime).Quantity, 5e-4, 1e-5)
	if status < w.begin+6e5 {
		t.Error("the scenario has changed: the memory's turn comes before the second pass")
	}
}

// What the guest read back of its disk is none of its memory, and a trial in which it read nothing back has no such metric.
func TestDiskReadBack(t *testing.T) {
	w := newDiskWorld(t, timelinetest.Default(9))
	plain := w.build()
	w.add(w.last, results.SourceGuest, results.DiskVerified, 3<<20, results.Bytes)
	w.add(w.last, results.SourceGuest, results.DiskCorrupt, 2, results.One)
	tl := w.build()
	near(t, tl, timeline.DiskVerifiedBytes, 3<<20, 0)
	near(t, tl, timeline.DiskCorruptPages, 2, 0)
	for _, name := range []string{timeline.MemoryVerified, timeline.MemoryCorrupt} {
		if a, b := plain.Metric(name), tl.Metric(name); a != b {
			t.Errorf("%s is %+v with the disk's figures, %+v without", name, b.Quantity, a.Quantity)
		}
	}
	for _, name := range []string{timeline.DiskVerifiedBytes, timeline.DiskCorruptPages} {
		if q := plain.Metric(name); q.Known || q.Why != "this trial has no such metric" {
			t.Errorf("%s = %+v of a disk that nobody read back", name, q.Quantity)
		}
	}
}
