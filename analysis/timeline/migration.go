package timeline

import (
	"fmt"
	"slices"
	"virtscope/results"
)

// A migration is the edges of one migration; those that were not found are nil and listed in missing.
type migration struct {
	diskBegin, diskEnd  *Edge  // the copy of the disk: its first job began; the destination's disk was complete
	began               *Edge  // "setup" of the source after that: the memory's turn
	algorithm           string // as the action says; "" if it does not
	source, destination string
	begin, end          Edge
	passes              []pass // bitmap synchronisations while the guest ran: rounds
	final               []pass // those after it stopped: part of stop-and-copy
	stop                *Edge  // the guest stopped at the source
	copied              *Edge  // what the destination needs to run was sent: the first "completed" of either side, or "postcopy-active", if before resume
	completed           *Edge  // "completed" of the source
	resume              *Edge  // the guest runs again
	rolledBack          bool   // … at the source, which was not the purpose
	failed              *Edge  // the first status that says the migration ends without success
	cancelled           *Edge  // "cancelled" of the source
	switched            *Edge  // the first "postcopy-active" of the source
	posts               []post // what the source says of post-copy from then on, in order
	cancel, kill        *Edge  // done to it on purpose
	held                *Edge  // the guest was told to stop in the middle of it, on purpose
	missing             []string
	notes               []string
}

type pass struct {
	n    int
	edge Edge
}

// A post is a status of the source in post-copy.
type post struct {
	status string
	edge   Edge
}

// snapshot reports whether the guest is to run on where it is.
func (m *migration) snapshot() bool { return m.algorithm == results.AlgorithmBackgroundSnapshot }

// stoppedFirst reports whether the guest was stopped before anything was sent: there are no rounds of pre-copy, and that is known.
func (m *migration) stoppedFirst() bool {
	return m.stop != nil && len(m.passes) == 0 && len(m.final) > 0
}

// observe finds the edges within w. Begin and end of the action are given.
func (x *index) observe(w window, algorithm string, begin, end Edge) *migration {
	m := &migration{algorithm: algorithm, begin: begin, end: end}
	m.source, m.destination = x.roles(w)
	x.outage(m, w)
	x.diskEdges(m, w)
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
	for _, r := range x.in(results.Fault, w) {
		e := x.edge(r)
		switch r.Attrs["kind"] {
		case results.FaultCancel:
			m.cancel = first(m.cancel, &e)
		case results.FaultKillDestination:
			m.kill = first(m.kill, &e)
		case results.FaultStopGuest:
			m.held = first(m.held, &e)
		}
	}
	m.check(len(x.byName[results.MigrationStatus]) > 0)
	return m
}

// first is a, or b if there is no a.
func first(a, b *Edge) *Edge {
	if a != nil {
		return a
	}
	return b
}

// roles finds out which host is which: only the source synchronises bitmaps and stops a running guest; the guest resumes
// at the destination.
func (x *index) roles(w window) (source, destination string) {
	for _, name := range []string{results.PreCopyRound, results.VMStop, results.MigrationTransferred, results.DiskCopyBegin} {
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
			m.resume, m.rolledBack = &back[i], !m.snapshot()
			return
		}
	}
}

// status takes in a status of either side (QAPI MigrationStatus).
func (x *index) status(m *migration, r results.Record) {
	e := x.edge(r)
	status := r.Attrs["status"]
	e.What = status
	source := r.Host == m.source
	switch status {
	case "setup":
		if source && m.diskBegin != nil && r.Time >= m.diskBegin.Time {
			m.began = first(m.began, &e)
		}
	case "completed":
		e.What = "completed at " + r.Host
		if source && m.completed == nil {
			m.completed = &e
		}
		if m.stop != nil && r.Time >= m.stop.Time && m.copied == nil {
			m.copied = &e
		}
	case "failed", "failing", "cancelling", "cancelled":
		if source {
			m.failed = first(m.failed, &e)
		}
		if source && status == "cancelled" {
			m.cancelled = first(m.cancelled, &e)
		}
	case "postcopy-active", "postcopy-paused", "postcopy-recover-setup", "postcopy-recover":
		if !source {
			return
		}
		m.posts = append(m.posts, post{status, e})
		if status == "postcopy-active" {
			m.switched = first(m.switched, &e)
		}
		// Before 8.2, QEMU says so before it stops the guest (postcopy_start); it then marks nothing.
		if status == "postcopy-active" && m.copied == nil && m.stop != nil && r.Time >= m.stop.Time {
			m.copied = &e
		}
	}
}

// check says what is missing, and drops an end of copying that comes too late to tell it from switching.
func (m *migration) check(statuses bool) {
	if m.diskOnly() {
		if !m.onPurpose() {
			m.missing = append(m.missing, "the memory's migration: it ended while the disk was copied")
		}
		return
	}
	if len(m.passes) == 0 && !m.stoppedFirst() && !m.snapshot() {
		m.missing = append(m.missing, "begin of round 1: the hypervisor reported no bitmap synchronisation")
	}
	if m.onPurpose() && m.stop == nil {
		return
	}
	if m.stop == nil {
		m.missing = append(m.missing, "stop: no hypervisor reported that the guest stopped at the source")
	}
	if m.resume == nil {
		m.missing = append(m.missing, "resume: no hypervisor reported that the guest ran again")
	}
	if m.snapshot() {
		m.copied = nil
	}
	if m.resume != nil && m.copied != nil && m.copied.Time > m.resume.Time {
		m.notes = append(m.notes, fmt.Sprintf("stop-and-copy and switch-over cannot be told apart: the guest ran before the hypervisors said %q", m.awaited()))
		m.copied = nil
		return
	}
	if m.copied == nil && m.failed == nil && !m.snapshot() {
		why := "the hypervisor reports no migration status"
		if statuses {
			why = "no hypervisor reported it after the stop"
		}
		m.missing = append(m.missing, m.awaited()+": "+why)
	}
}

// awaited is the status that ends copying before the guest runs at the destination.
func (m *migration) awaited() string {
	if m.switched != nil {
		return "postcopy-active"
	}
	return "completed"
}

// onPurpose reports whether the migration was broken off on purpose.
func (m *migration) onPurpose() bool { return m.cancel != nil || m.kill != nil }

// calledOff reports whether it was cancelled on purpose, and ended for that. While only the disk is copied, there is nothing
// that the source could say of it.
func (m *migration) calledOff() bool { return m.cancel != nil && (m.failed != nil || m.diskOnly()) }

// sent is the edge after which the source sends no more of memory: the first of those that end the migration, of which a
// guest that runs at the destination ends no post-copy. It is the end of the action if there is none from t on.
func (m *migration) sent(t int64) Edge {
	edges := []*Edge{m.failed, m.completed}
	if m.switched == nil && !m.snapshot() {
		edges = append(edges, m.resume, m.copied)
	}
	end := m.end
	for _, e := range edges {
		if e != nil && e.Time < end.Time && e.Time >= t {
			end = *e
		}
	}
	return end
}

// detected is when the source noticed that its destination was gone; nil if it did not.
func (m *migration) detected() *Edge {
	if m.kill == nil {
		return nil
	}
	var best *Edge
	if m.failed != nil && m.failed.Time >= m.kill.Time {
		best = m.failed
	}
	i := slices.IndexFunc(m.posts, func(p post) bool { return p.status == "postcopy-paused" && p.edge.Time >= m.kill.Time })
	if i >= 0 && (best == nil || m.posts[i].edge.Time < best.Time) {
		best = &m.posts[i].edge
	}
	return best
}
