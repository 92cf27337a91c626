package timeline

import (
	"fmt"
	"virtscope/results"
)

// A migration is the edges of one migration; those that were not found are nil and listed in missing.
type migration struct {
	source, destination string
	begin, end          Edge
	passes              []pass // bitmap synchronisations while the guest ran: rounds
	final               []pass // those after it stopped: part of stop-and-copy
	stop                *Edge  // the guest stopped at the source
	copied              *Edge  // the first "completed" of either side, if before resume
	completed           *Edge  // "completed" of the source
	resume              *Edge  // the guest runs again
	rolledBack          bool   // … at the source
	failed              *Edge  // the first status that says the migration ends without success
	missing             []string
	notes               []string
}

type pass struct {
	n    int
	edge Edge
}

// observe finds the edges within w. Begin and end of the action are given.
func (x *index) observe(w window, begin, end Edge) *migration {
	m := &migration{begin: begin, end: end}
	m.source, m.destination = x.roles(w)
	x.outage(m, w)
	for _, r := range x.in(results.PreCopyRound, w) {
		p := pass{int(max(0, min(r.Value, 1e9))), x.edge(r)}
		// QEMU's last synchronisation follows STOP: it sends what is left, so it opens no round of pre-copy.
		if m.stop != nil && r.Time >= m.stop.Time {
			m.final = append(m.final, p)
			continue
		}
		m.passes = append(m.passes, p)
	}
	for _, r := range x.in(results.MigrationStatus, w) {
		x.status(m, r)
	}
	m.check(len(x.byName[results.MigrationStatus]) > 0)
	return m
}

// roles finds out which host is which: only the source synchronises bitmaps and stops a running guest; the guest resumes
// at the destination.
func (x *index) roles(w window) (source, destination string) {
	for _, name := range []string{results.PreCopyRound, results.VMStop, results.MigrationTransferred} {
		if list := x.in(name, w); len(list) > 0 {
			source = list[0].Host
			break
		}
	}
	if source == "" {
		return "", ""
	}
	for _, name := range []string{results.VMResume, results.MigrationStatus} {
		for _, r := range x.in(name, w) {
			if r.Host != source {
				return source, r.Host
			}
		}
	}
	return source, ""
}

// outage finds the stop that belongs to the switch-over: the source's last before the guest ran at the destination.
func (x *index) outage(m *migration, w window) {
	var stops, resumes, back []Edge
	for _, r := range x.in(results.VMStop, w) {
		if r.Host == m.source {
			stops = append(stops, x.edge(r))
		}
	}
	for _, r := range x.in(results.VMResume, w) {
		switch r.Host {
		case m.source:
			back = append(back, x.edge(r))
		case m.destination:
			resumes = append(resumes, x.edge(r))
		}
	}
	if len(stops) == 0 {
		if len(resumes) > 0 {
			m.resume = &resumes[0]
		}
		return
	}
	if len(stops) > 1 {
		m.notes = append(m.notes, fmt.Sprintf("the guest stopped %d times at the source; the last stop before it ran again counts", len(stops)))
	}
	if len(resumes) > 0 {
		m.resume = &resumes[0]
		m.stop = &stops[0]
		for i := range stops {
			// A stop may seem to follow the resume by as much as the clocks may be wrong.
			if stops[i].Time <= m.resume.Time+int64(m.resume.Bound()+stops[i].Bound()) {
				m.stop = &stops[i]
			}
		}
		return
	}
	m.stop = &stops[len(stops)-1]
	for i := range back {
		if back[i].Time >= m.stop.Time {
			m.resume, m.rolledBack = &back[i], true
			return
		}
	}
}

func (x *index) status(m *migration, r results.Record) {
	e := x.edge(r)
	switch r.Attrs["status"] {
	case "completed":
		e.What = "completed at " + r.Host
		if r.Host == m.source && m.completed == nil {
			m.completed = &e
		}
		if m.stop != nil && r.Time >= m.stop.Time && m.copied == nil {
			m.copied = &e
		}
	case "failed", "failing", "cancelling", "cancelled":
		if r.Host == m.source && m.failed == nil {
			e.What = r.Attrs["status"]
			m.failed = &e
		}
	}
}

// check says what is missing, and drops a "completed" that comes too late to tell copying from switching.
func (m *migration) check(statuses bool) {
	if len(m.passes) == 0 {
		m.missing = append(m.missing, "begin of round 1: the hypervisor reported no bitmap synchronisation")
	}
	if m.stop == nil {
		m.missing = append(m.missing, "stop: no hypervisor reported that the guest stopped at the source")
	}
	if m.resume == nil {
		m.missing = append(m.missing, "resume: no hypervisor reported that the guest ran again")
	}
	if m.resume != nil && m.copied != nil && m.copied.Time > m.resume.Time {
		m.notes = append(m.notes, fmt.Sprintf("stop-and-copy and switch-over cannot be told apart: the guest ran before the hypervisors said %q", "completed"))
		m.copied = nil
		return
	}
	if m.copied == nil && m.failed == nil {
		why := "the hypervisor reports no migration status"
		if statuses {
			why = "no hypervisor reported it after the stop"
		}
		m.missing = append(m.missing, "completed: "+why)
	}
}
