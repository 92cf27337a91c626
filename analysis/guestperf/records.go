package guestperf

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"virtscope/results"
)

// Source is the host that all records are of: guestperf runs beside the source and stamps everything with its clock.
const Source = "src"

// nanoseconds of s since the Unix epoch. A float64 holds such a time to a quarter of a microsecond.
func nanoseconds(s float64) int64 { return int64(math.Round(s * 1e9)) }

// A writer makes records of one time and source.
type writer struct {
	records []results.Record
	record  results.Record // what the next ones have in common
}

func (w *writer) add(name string, v float64, u results.Unit, attrs ...string) {
	r := w.record
	r.Name, r.Value, r.Unit = name, v, u
	if len(attrs) > 0 {
		r.Attrs = maps.Clone(r.Attrs)
		if r.Attrs == nil {
			r.Attrs = map[string]string{}
		}
		for i := 0; i+1 < len(attrs); i += 2 {
			r.Attrs[attrs[i]] = attrs[i+1]
		}
	}
	w.records = append(w.records, r)
}

// progress records a reply. No event is made of it: that a round had begun was seen up to 50 ms later.
func (w *writer) progress(p Progress) {
	trigger := "poll"
	if ended(p.Status) {
		trigger = "final"
	}
	w.record = results.Record{
		Time: nanoseconds(*p.Now), Host: Source, Source: results.SourceQMP, Attrs: map[string]string{"trigger": trigger},
	}
	if m := p.RAM; *m.Total > 0 {
		w.add(results.MigrationTransferred, *m.Transferred, results.Bytes)
		w.add(results.MigrationRemaining, *m.Remaining, results.Bytes)
		w.add(results.MigrationTotal, *m.Total, results.Bytes)
		w.add(results.MigrationSyncCount, *m.Iterations, results.One)
		w.add(results.MigrationPages, *m.Normal, results.One, "kind", "normal")
		w.add(results.MigrationPages, *m.Duplicate, results.One, "kind", "zero")
		w.add(results.MigrationRate, *m.Rate*1e6/8, results.BytesPerSecond)
		if *m.Normal > 0 { // its size of a page is not in the report, but follows from what was sent
			w.add(results.MigrationDirtyRate, *m.DirtyRate**m.NormalBytes / *m.Normal, results.BytesPerSecond)
		}
	}
	if p.Throttle != nil && *p.Throttle > 0 { // 0 is also what guestperf writes where there is none
		w.add(results.MigrationThrottle, *p.Throttle/100, results.One)
	}
	if p.Status != "completed" {
		return
	}
	w.add(results.ReportedTotalTime, *p.Duration/1e3, results.Seconds)
	w.add(results.ReportedDowntime, *p.Downtime/1e3, results.Seconds)
	w.add(results.ReportedSetupTime, *p.SetupTime/1e3, results.Seconds)
}

// cpu records the samples of the source's process and of its vCPU threads.
func (w *writer) cpu(r *Report) {
	sample := func(t Timing) {
		w.record = results.Record{Time: nanoseconds(*t.Timestamp), Host: Source, Source: results.SourceUsage}
	}
	pid := "0"
	for _, t := range r.QEMUTimings {
		pid = number(*t.TID)
		sample(t)
		w.add(results.ProcessCPU, *t.Value/1e3, results.Seconds, "process", "source", "pid", pid)
	}
	var vcpus []float64 // in the order in which QEMU lists them
	for _, t := range r.VCPUTimings {
		n := slices.Index(vcpus, *t.TID)
		if n < 0 {
			n = len(vcpus)
			vcpus = append(vcpus, *t.TID)
		}
		sample(t)
		w.add(results.ThreadCPU, *t.Value/1e3, results.Seconds,
			"process", "source", "pid", pid, "thread", fmt.Sprintf("CPU %d", n), "tid", number(*t.TID))
	}
}

func number(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
