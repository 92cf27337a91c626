package guestperf

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"virtscope/results"
)

// A Trial is a report as virtscope keeps trials: its records, and an outcome that lacks the trial's name.
type Trial struct {
	Records []results.Record // in order of time
	Outcome results.Outcome
}

// unknown is what no report of guestperf tells, beside the numbers that it has.
const unknown = "imported from a report of guestperf: it has no events, no client, no capture and no memory check"

// Trial makes r a trial. It does not change r.
func (r *Report) Trial() Trial {
	var w writer
	begin, note := r.begin()
	last := r.Progress[len(r.Progress)-1]
	end := nanoseconds(*last.Now)
	from, to := r.observed(begin, end)

	w.record = results.Record{Host: Source, Source: results.SourceRunner}
	state := func(at int64, name string) {
		w.record.Time = at
		w.add(results.TrialState, 0, results.Event, "state", name)
	}
	if from < begin {
		state(from, results.StateBaseline)
	}
	state(begin, results.StateAction)
	w.add(results.ActionBegin, 0, results.Event, "action", "migrate")
	w.record.Time = end
	w.add(results.ActionEnd, 0, results.Event, "action", "migrate")
	if end < to {
		state(end, results.StateQuiesce)
	}
	w.record.Time = to
	w.add(results.TrialEnd, 0, results.Event)
	for _, p := range r.Progress {
		w.progress(p)
	}
	w.cpu(r)
	slices.SortStableFunc(w.records, func(a, b results.Record) int { return int(min(1, max(-1, a.Time-b.Time))) })

	o := results.Outcome{
		Attempt: 1, Begin: time.Unix(0, from).UTC(), End: time.Unix(0, to).UTC(), Facts: r.facts(), Warnings: []string{unknown},
		Overhead: -1,
	}
	if note != "" {
		o.Warnings = append(o.Warnings, note)
	}
	o.Verdict, o.Reason = verdict(clean(last.Status))
	return Trial{Records: w.records, Outcome: o}
}

// verdict is what a migration's last status means.
func verdict(status string) (results.Verdict, string) {
	switch {
	case status == "completed":
		return results.Completed, ""
	case ended(status):
		return results.Failed, "the migration ended as " + status + " (guestperf cancels after max_iters rounds or max_time)"
	}
	return results.Invalid, "the report ends while the migration was " + status
}

// begin is when the migration began: the earliest that a reply came less the total time in it, which QEMU counts in whole ms
// from its own begin. The note says where that is not known so well.
func (r *Report) begin() (at int64, note string) {
	best := math.Inf(1)
	for _, p := range r.Progress {
		if !ended(p.Status) && *p.Duration > 0 {
			best = min(best, *p.Now-*p.Duration/1e3)
		}
	}
	if best > minTime && !math.IsInf(best, 1) {
		return min(nanoseconds(best), nanoseconds(*r.Progress[0].Now)), ""
	}
	last := r.Progress[len(r.Progress)-1]
	if ended(last.Status) && *last.Duration > 0 && *last.Now-*last.Duration/1e3 > minTime {
		at = min(nanoseconds(*last.Now-*last.Duration/1e3), nanoseconds(*r.Progress[0].Now))
		return at, "the begin of the migration is known to about 50 ms: the report has no look at it while it ran"
	}
	return nanoseconds(*r.Progress[0].Now), "the begin of the migration is that of the first look at it: no look says how long it had run"
}

// observed is from the first sample to the last, and at least the migration.
func (r *Report) observed(begin, end int64) (from, to int64) {
	from, to = begin, max(begin, end)
	for _, list := range [][]Timing{r.QEMUTimings, r.VCPUTimings} {
		for _, t := range list {
			from, to = min(from, nanoseconds(*t.Timestamp)), max(to, nanoseconds(*t.Timestamp))
		}
	}
	return from, to
}

// facts are what the report says about what it ran, all but what it measured.
func (r *Report) facts() []results.Fact {
	var facts []results.Fact
	add := func(subject, name, value string) {
		if value != "" {
			facts = append(facts, results.Fact{Subject: subject, Name: name, Value: clean(value)})
		}
	}
	add("guestperf", "binary", r.Binary)
	add("guestperf", "destination", r.DstHost)
	add("guestperf", "kernel", r.Kernel)
	add("guestperf", "initrd", r.Initrd)
	add("guestperf", "transport", r.Transport)
	for _, p := range r.parameters() {
		add("guestperf", p.path, p.value)
	}
	add("guestperf", "scenario.name", fmt.Sprint(r.Scenario["name"]))
	if n := len(r.GuestTimings); n > 0 {
		add("guestperf", "left out", fmt.Sprintf("%d guest_timings: stamped by the guest's clock, whose offset is not known", n))
	}
	return facts
}

// clean is text on one line, of at most 200 characters.
func clean(s string) string {
	s = strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return '?'
		}
		return c
	}, strings.ToValidUTF8(s, "?"))
	if r := []rune(s); len(r) > 200 {
		return string(r[:199]) + "…"
	}
	return s
}
