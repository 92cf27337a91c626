package timeline

import (
	"fmt"
	"virtscope/results"
)

// Names of the phases. Rounds are named by roundName.
const (
	PhaseSetup       = "setup"         // from the request (where a disk is copied: to the copy's begin, and again from the source's "setup") to the first bitmap synchronisation; to the stop, if the guest is stopped before anything is sent
	PhaseStopAndCopy = "stop-and-copy" // from the source's stop until a hypervisor says that all the destination needs was copied, or the guest runs
	PhaseSwitchover  = "switch-over"   // from there until the guest runs
	PhaseLoad        = "load"          // the same, of a migration by way of a file, which the destination reads then
	PhasePostCopy    = "post-copy"     // the guest runs at the destination, and the source goes on sending until it is done
	PhasePaused      = "paused"        // post-copy lost its connection
	PhaseRecovery    = "recovery"      // post-copy has a new connection and is about to go on
	PhaseStop        = "stop"          // of a background snapshot: from the guest's stop until it runs on at the source
	PhaseSnapshot    = "snapshot"      // from there until the source is done
	PhaseCompletion  = "completion"    // from the migration's end until the action returned
	PhaseCancelling  = "cancelling"    // from the cancel until the source says that it is cancelled; of a disk's copy, until the action returned
	PhaseGivingUp    = "giving up"     // from the failure until the action returned
)

func roundName(n int) string { return fmt.Sprintf("pre-copy round %d", n) }

// A cutter collects spans between edges.
type cutter struct{ spans []Span }

func (c *cutter) add(name string, from, to *Edge) {
	if from != nil && to != nil {
		c.spans = append(c.spans, Span{Name: name, Start: *from, End: *to})
	}
}

// phases cuts the action. They add up to its wall time: whatever edges are missing or contradict each other, the rest is
// unattributed.
func (m *migration) phases() []Span {
	c := &cutter{}
	switch {
	case m.snapshot():
		m.snapshotPhases(c)
	default:
		m.runningPhases(c)
		m.stoppedPhases(c)
	}
	all, out := attribute(m.begin, m.end, c.spans)
	for _, name := range out {
		m.notes = append(m.notes, fmt.Sprintf("%s is left out of the phases: its edges contradict those of an earlier phase", name))
	}
	return all
}

// runningPhases are those before the guest stops. A round lasts until the next synchronisation, the stop, or whatever ends
// the migration.
func (m *migration) runningPhases(c *cutter) {
	until, turn := first(m.stop, m.ending()), m.diskPhases(c)
	switch {
	case len(m.passes) > 0:
		c.add(PhaseSetup, turn, &m.passes[0].edge)
	case m.stoppedFirst():
		c.add(PhaseSetup, turn, m.stop)
	}
	for i := range m.passes {
		end := until
		if i+1 < len(m.passes) {
			end = &m.passes[i+1].edge
		}
		c.add(roundName(m.passes[i].n), &m.passes[i].edge, end)
	}
}

// ending is what broke the migration off: the cancel if that was done on purpose, else the first status that says so.
func (m *migration) ending() *Edge {
	if m.cancel != nil && m.failed != nil {
		return m.cancel
	}
	return m.failed
}

// stoppedPhases are those from the guest's stop to the end.
func (m *migration) stoppedPhases(c *cutter) {
	ran := m.resume != nil && !m.rolledBack
	switch {
	case m.resume == nil && m.failed != nil:
		c.add(PhaseStopAndCopy, m.stop, m.ending())
	case m.copied != nil:
		c.add(PhaseStopAndCopy, m.stop, m.copied)
		c.add(m.landing(), m.copied, m.resume)
	default:
		c.add(PhaseStopAndCopy, m.stop, m.resume)
	}
	switch {
	case m.resume != nil && m.resume.Time > m.end.Time:
		m.notes = append(m.notes, "the guest ran again only after the action had returned")
	case ran && m.switched != nil:
		m.postCopyPhases(c)
	case ran:
		c.add(PhaseCompletion, m.resume, &m.end)
	case m.cancelled != nil && m.cancel != nil:
		m.cancelledPhases(c)
	case m.rolledBack:
		c.add(PhaseGivingUp, m.resume, &m.end)
	case m.failed != nil:
		c.add(PhaseGivingUp, m.failed, &m.end)
	}
}

// landing is what the destination does between the last byte and the guest's start.
func (m *migration) landing() string {
	if m.algorithm == results.AlgorithmMappedRAM {
		return PhaseLoad
	}
	return PhaseSwitchover
}

// cancelledPhases begin where the guest ran again, if it had been stopped and was so before the cancel was over.
func (m *migration) cancelledPhases(c *cutter) {
	from := m.cancel
	if m.rolledBack && m.resume.Time > from.Time {
		from = m.resume
	}
	if from.Time > m.cancelled.Time {
		c.add(PhaseCompletion, from, &m.end)
		return
	}
	c.add(PhaseCancelling, from, m.cancelled)
	c.add(PhaseCompletion, m.cancelled, &m.end)
}

// postCopyPhases are those from the guest's start at the destination on. They end with the source's "completed", which may
// come before the destination says that the guest runs if there was hardly anything left to send.
func (m *migration) postCopyPhases(c *cutter) {
	at, phase := m.resume, PhasePostCopy
	for i := range m.posts {
		p := &m.posts[i]
		next := map[string]string{"postcopy-paused": PhasePaused, "postcopy-recover-setup": PhaseRecovery, "postcopy-recover": PhaseRecovery}[p.status]
		if next == "" {
			next = PhasePostCopy
		}
		if p.edge.Time < at.Time || next == phase {
			continue
		}
		c.add(phase, at, &p.edge)
		at, phase = &p.edge, next
	}
	switch {
	case m.completed != nil && m.completed.Time >= at.Time:
		c.add(phase, at, m.completed)
		c.add(PhaseCompletion, m.completed, &m.end)
	case m.completed != nil:
		c.add(PhaseCompletion, at, &m.end)
	case m.failed != nil && m.failed.Time >= at.Time:
		c.add(phase, at, m.failed)
		c.add(PhaseGivingUp, m.failed, &m.end)
	default:
		c.add(phase, at, &m.end)
	}
}

// snapshotPhases are those of a guest that stops briefly and runs on while its memory is written away.
func (m *migration) snapshotPhases(c *cutter) {
	c.add(PhaseSetup, &m.begin, first(m.stop, m.failed))
	c.add(PhaseStop, m.stop, m.resume)
	if m.resume == nil {
		return
	}
	c.add(PhaseSnapshot, m.resume, first(m.completed, m.failed))
	switch {
	case m.completed != nil:
		c.add(PhaseCompletion, m.completed, &m.end)
	case m.failed != nil:
		c.add(PhaseGivingUp, m.failed, &m.end)
	}
}
