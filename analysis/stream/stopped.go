package stream

import (
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// mayHaveBeenStopped reports whether the guest may have been stopped before the migration began: no page passed again, so
// that nothing shows that it wrote its memory meanwhile. Pause, copy and resume looks like that.
func (m *Migration) mayHaveBeenStopped() bool {
	stop := m.stage(results.StageStopCopy)
	if m.Inferred || m.Start != StartHeader || m.How != HowComplete || stop == nil || m.stage(results.StagePostCopy) != nil || len(m.Rounds) < 2 {
		return false
	}
	for _, r := range m.Rounds[1:] {
		if !r.Resent.Known || r.Resent.Censored || r.Resent.Value > 0 {
			return false
		}
	}
	return true
}

// stopUnproven widens the bounds of a stop that nothing proves.
func (l *log) stopUnproven(m *Migration) {
	if !m.mayHaveBeenStopped() {
		return
	}
	m.stopAnyTime()
	m.Downtime = m.downtime()
	l.note("no page passed again: the guest may have been stopped before the migration began, and then runs only when it is told to, which no packet shows")
}

// stopAnyTime widens the stop's bounds to all of the time before it.
func (m *Migration) stopAnyTime() {
	for i := range m.Stages {
		if s := &m.Stages[i]; s.Name == results.StageStopCopy {
			s.Begin.Earliest = m.Begin.Earliest
		}
	}
	m.Phases = m.phases()
}

// DenyStop takes back when the guest stopped, and for how long, because it is known from elsewhere that no packet can show it:
// why says so.
func (m *Migration) DenyStop(why string) {
	m.stopAnyTime()
	m.Downtime = quantity.Unknown(results.Seconds, why)
	m.Notes = append(m.Notes, why)
}
