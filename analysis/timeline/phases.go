package timeline

import (
	"fmt"
)

// Names of the phases. Rounds are named by roundName.
const (
	PhaseSetup       = "setup"         // from the request to the first bitmap synchronisation
	PhaseStopAndCopy = "stop-and-copy" // from the source's stop until a hypervisor says that all was copied, or the guest runs
	PhaseSwitchover  = "switch-over"   // from there until the guest runs
	PhaseCompletion  = "completion"    // from there until the action returned
	PhaseGivingUp    = "giving up"     // from the failure until the action returned
)

func roundName(n int) string { return fmt.Sprintf("pre-copy round %d", n) }

// phases cuts the action. A round lasts until the next synchronisation, the stop, or the failure. They add up to the
// action's wall time: whatever edges are missing or contradict each other, the rest is unattributed.
func (m *migration) phases() []Span {
	var spans []Span
	add := func(name string, from, to *Edge) {
		if from != nil && to != nil {
			spans = append(spans, Span{Name: name, Start: *from, End: *to})
		}
	}
	stopped := m.stop
	if stopped == nil {
		stopped = m.failed
	}
	if len(m.passes) > 0 {
		add(PhaseSetup, &m.begin, &m.passes[0].edge)
	}
	for i := range m.passes {
		until := stopped
		if i+1 < len(m.passes) {
			until = &m.passes[i+1].edge
		}
		add(roundName(m.passes[i].n), &m.passes[i].edge, until)
	}
	switch {
	case m.resume == nil && m.failed != nil:
		add(PhaseStopAndCopy, m.stop, m.failed)
	case m.copied != nil:
		add(PhaseStopAndCopy, m.stop, m.copied)
		add(PhaseSwitchover, m.copied, m.resume)
	default:
		add(PhaseStopAndCopy, m.stop, m.resume)
	}
	switch {
	case m.failed != nil && m.resume == nil:
		add(PhaseGivingUp, m.failed, &m.end)
	case m.resume != nil && m.resume.Time > m.end.Time:
		m.notes = append(m.notes, "the guest ran again only after the action had returned")
	case m.rolledBack:
		add(PhaseGivingUp, m.resume, &m.end)
	default:
		add(PhaseCompletion, m.resume, &m.end)
	}
	all, out := attribute(m.begin, m.end, spans)
	for _, name := range out {
		m.notes = append(m.notes, fmt.Sprintf("%s is left out of the phases: its edges contradict those of an earlier phase", name))
	}
	return all
}
