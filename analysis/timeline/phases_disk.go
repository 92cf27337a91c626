package timeline

import (
	"fmt"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// PhaseDiskCopy is from the copy's begin until the memory's turn, which the source's "setup" begins. The disk goes on to follow
// the guest from then on, beside what the other phases name.
const PhaseDiskCopy = "disk copy"

// diskEdges finds the edges of the disk's copy within w.
func (x *index) diskEdges(m *migration, w window) {
	if list := x.in(results.DiskCopyBegin, w); len(list) > 0 {
		e := x.edge(list[0])
		m.diskBegin = &e
	}
	if list := x.in(results.DiskCopyEnd, w); len(list) > 0 {
		e := x.edge(list[len(list)-1])
		m.diskEnd = &e
	}
}

// diskOnly reports whether the migration ended before the memory's turn.
func (m *migration) diskOnly() bool {
	return m.diskBegin != nil && m.began == nil && len(m.passes)+len(m.final) == 0 && m.stop == nil && m.failed == nil
}

// diskPhases are those before the memory's turn; it returns when that began.
func (m *migration) diskPhases(c *cutter) *Edge {
	if m.diskBegin == nil {
		return &m.begin
	}
	c.add(PhaseSetup, &m.begin, m.diskBegin)
	if m.diskOnly() {
		m.brokenCopyPhases(c)
		return nil
	}
	turn := m.began
	if turn == nil && len(m.passes) > 0 {
		turn = &m.passes[0].edge
	}
	turn = first(first(turn, m.stop), m.failed)
	c.add(PhaseDiskCopy, m.diskBegin, turn)
	if m.stop != nil && m.diskEnd != nil && m.diskEnd.Time > m.stop.Time {
		m.notes = append(m.notes, fmt.Sprintf("the last of the disk was copied while the guest was stopped: its disk was complete %s after the stop", quantity.Show(between(*m.stop, *m.diskEnd))))
	}
	return turn
}

// brokenCopyPhases are those of a copy in which the migration ended: no event says when, but of what was done on purpose.
func (m *migration) brokenCopyPhases(c *cutter) {
	switch {
	case m.cancel != nil && m.cancel.Time >= m.diskBegin.Time:
		c.add(PhaseDiskCopy, m.diskBegin, m.cancel)
		c.add(PhaseCancelling, m.cancel, &m.end)
	case m.kill != nil && m.kill.Time >= m.diskBegin.Time:
		c.add(PhaseDiskCopy, m.diskBegin, m.kill)
		c.add(PhaseGivingUp, m.kill, &m.end)
	default:
		c.add(PhaseDiskCopy, m.diskBegin, &m.end)
	}
}
