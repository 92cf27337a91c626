package timeline

import (
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A Round is one pass over the guest's memory, the stop-and-copy that follows the last one, or post-copy.
//
// A round begins with a synchronisation of the dirty bitmap while the guest runs. QEMU synchronises once more after it
// stopped the guest: what it sends then is stop-and-copy. The last round may be short: it is the synchronisation that
// led QEMU to stop the guest.
type Round struct {
	Name     string            `json:"name"`
	N        int               `json:"n"` // as the hypervisor counts; 0 is stop-and-copy or post-copy
	Start    Edge              `json:"start"`
	End      Edge              `json:"end"`
	Duration quantity.Quantity `json:"duration"` // s
	// Bytes is the payload that crossed the switch in it.
	Bytes quantity.Quantity `json:"bytes"`
	// LinkRate is Bytes over Duration, in B/s.
	LinkRate quantity.Quantity `json:"link_rate"`
	// Transferred is what the hypervisor says that it sent: the difference of its counter between the replies nearest to
	// the two edges. Its bounds hold what it may have sent between an edge and its reply (see counters).
	Transferred quantity.Quantity `json:"transferred"`
	// Remaining is what the hypervisor says is left to send as the round begins.
	Remaining quantity.Quantity `json:"remaining"`
	// DirtyRate is what the hypervisor says at the round's end, in B/s. QEMU computes it anew only if a second has
	// passed since it last did (migration_bitmap_sync), so it may be that of earlier rounds.
	DirtyRate quantity.Quantity `json:"dirty_rate"`
}

// rounds lists the pre-copy rounds and the stop-and-copy.
func (x *index) rounds(m *migration, phases []Span, payload flow) []Round {
	var list []Round
	c := x.newCounters(m, payload)
	for i, p := range m.passes {
		next := p.n + 1
		if i+1 < len(m.passes) {
			next = m.passes[i+1].n
		}
		for _, s := range phases {
			if s.Name == roundName(p.n) && s.Start == p.edge {
				list = append(list, c.round(s, p.n, next, false, payload))
				break
			}
		}
	}
	if m.stop == nil || m.resume == nil || m.resume.Time < m.stop.Time {
		return list
	}
	last := 0
	if len(m.final) > 0 {
		last = m.final[0].n
	}
	if m.snapshot() {
		return list // what is sent then is no copy of a stopped guest
	}
	posted := m.switched != nil && !m.rolledBack && m.completed != nil && m.completed.Time > m.resume.Time
	r := c.round(Span{Name: PhaseStopAndCopy, Start: *m.stop, End: *m.resume}, last, 0, !posted, payload)
	r.N = 0
	list = append(list, r)
	if posted {
		r := c.round(Span{Name: PhasePostCopy, Start: *m.resume, End: *m.completed}, last, 0, true, payload)
		r.N = 0
		list = append(list, r)
	}
	return list
}

// final is the sample that was asked for when the migration was over.
func (x *index) final(name string, u results.Unit, attrs ...string) quantity.Quantity {
	list := x.byName[name]
	for i := len(list) - 1; i >= 0; i-- {
		r := list[i]
		if r.Attrs["trigger"] == "final" && (len(attrs) < 2 || r.Attrs[attrs[0]] == attrs[1]) {
			return quantity.Exactly(r.Value, u)
		}
	}
	return quantity.Unknown(u, "the hypervisor reported none")
}
