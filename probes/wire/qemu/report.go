package qemu

import (
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// End records the totals: no more bytes come. Further calls do nothing.
func (m *Migration) End(at tcp.Stamp) {
	if m.ended {
		return
	}
	m.ended = true
	m.main.End(tcp.Cut, at)
	m.back.End(tcp.Cut, at)
	if m.preempt != nil {
		m.preempt.End(tcp.Cut, at)
	}
	for _, c := range m.multifds {
		c.End(tcp.Cut, at)
	}
	m.announce()
	if n := len(m.ledger.rounds); n > 0 {
		l := &m.ledger
		l.rounds[n-1].end = l.base + len(l.epochs)
		l.settle(l.rounds[n-1].end, m.roundEnded)
	}
	m.reportTotals(at)
	m.reportFaults(at)
}

func (m *Migration) reportTotals(at tcp.Stamp) {
	t := m.ledger.totals()
	lost := atLeast(m.ledger.lost)
	for k, name := range kindNames {
		if t.pages[k] == 0 {
			continue
		}
		method := ""
		if kind(k) == kindMultifd {
			method = m.method()
		}
		m.record(at, results.WirePages, float64(t.pages[k]), results.One, "kind", name, "atleast", lost)
		m.record(at, results.WirePageBytes, float64(t.bytes[k]), results.Bytes, "kind", name, "method", method, "atleast", lost)
	}
	for _, c := range m.multifds {
		if c.stateSum > 0 {
			m.record(at, results.WireDevice, float64(c.stateSum), results.Bytes, "device", "all on "+c.name())
		}
	}
	if n := m.ledger.twice; n > 0 {
		m.record(at, results.WirePagesTwice, float64(n), results.One, "atleast", lost)
	}
	if len(m.ledger.rounds) > 0 {
		m.record(at, results.WireSyncs, float64(m.Syncs()), results.One, "atleast", "true")
	}
}

// method is how multifd packets are compressed.
func (m *Migration) method() string {
	for _, c := range m.multifds {
		if name, known := multifdMethods[c.method]; known && c.method != 0 {
			return name
		}
	}
	return multifdMethods[0]
}
