package timeline

import (
	"virtscope/analysis/convergence"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// pageSize is the size of the pages that the hypervisor counts, in B (x86 guests).
const pageSize = 4096

// converging is what is known of why the migration did, or did not, converge.
func (t *Timeline) converging(x *index, m *migration, payload flow, limits convergence.Limits) convergence.Input {
	in := convergence.Input{
		Algorithm: t.Algorithm, Limits: limits, Switched: m.switched != nil, StoppedFirst: m.stoppedFirst(), Held: m.held != nil && !m.stoppedFirst(),
		Completed: m.completed != nil && m.failed == nil || m.completed == nil && m.failed == nil && m.resume != nil && !m.rolledBack,
		OnPurpose: m.onPurpose(), Ended: t.ended(m),
		DirtyRate: t.Metric(DirtyRateBaseline).Quantity, Resident: t.resident(), State: t.state(),
		Throttle: x.last(results.MigrationThrottle, results.One), Requests: x.final(results.MigrationPageRequests, results.One),
		Total: t.Metric(TotalTime).Quantity, Downtime: t.Metric(Downtime).Quantity,
		Left: quantity.Unknown(results.Bytes, "the guest was not stopped"),
	}
	in.Switch = quantity.Unknown(results.Seconds, "the guest was not stopped after a round of pre-copy")
	if m.stop != nil && len(m.passes) > 0 {
		in.Switch = between(m.passes[0].edge, *m.stop)
	}
	if t.Algorithm == results.AlgorithmBackgroundSnapshot {
		in.Downtime = quantity.Unknown(results.Seconds, "no model tells it")
	}
	c := x.newCounters(m, payload)
	for i, p := range m.passes {
		in.Rounds = append(in.Rounds, t.raced(x, c, m, i, p))
	}
	switch {
	case m.held != nil:
		in.Left = quantity.Unknown(results.Bytes, "the guest was stopped in the middle of a round, at which no synchronisation counted what was left")
	case len(m.final) > 0:
		in.Left = c.remaining(Span{Start: m.final[0].edge, End: c.end}, m.final[0].n)
	}
	from, ok := m.sending()
	if !ok {
		in.LinkRate = quantity.Unknown(results.BytesPerSecond, "no hypervisor reported when it began to send memory")
		in.NoThreads = in.LinkRate.Why
		return in
	}
	to := m.sent(from.Time)
	in.LinkRate = t.sentRate(x, payload, from, to)
	in.PreRate, in.PostRate = m.partRates(x, payload, from, to)
	in.Beside = x.beside(window{from.Time, to.Time})
	in.Threads, in.NoThreads = x.threadShares(from.Time, to.Time)
	return in
}

// sending is when the source began to send memory.
func (m *migration) sending() (Edge, bool) {
	switch {
	case len(m.passes) > 0:
		return m.passes[0].edge, true
	case len(m.final) > 0:
		return m.final[0].edge, true
	case m.snapshot() && m.resume != nil:
		return *m.resume, true
	}
	return Edge{}, false
}

// sentRate is the rate of the payload at the switch; where no capture saw it, that of the hypervisor's own counter.
func (t *Timeline) sentRate(x *index, payload flow, from, to Edge) quantity.Quantity {
	return rateOf(payload.during(from, to), x.final(results.MigrationTransferred, results.Bytes), from, to)
}

// raced is round i, which synchronisation p began. What it left is told by the next one's answer, which may be late by a tenth
// of this round: it is this one's length that the figure is divided by.
func (t *Timeline) raced(x *index, c counters, m *migration, i int, p pass) convergence.Measured {
	none := func(u results.Unit, why string) quantity.Quantity { return quantity.Unknown(u, why) }
	r := convergence.Measured{
		N: p.n, After: none(results.Bytes, "no synchronisation ended the round"), CPU: none(results.One, "no thread was sampled"),
		Duration: none(results.Seconds, "its end is not known"), LinkRate: none(results.BytesPerSecond, "its end is not known"),
		Sent: none(results.Bytes, "its end is not known"), Pages: none(results.Bytes, "not all pages are counted"), Left: none(results.Bytes, "its end is not known"),
		Reported: none(results.BytesPerSecond, "its end is not known"),
	}
	for _, got := range t.Rounds {
		if got.N != p.n || got.Start != p.edge {
			continue
		}
		r.Duration, r.LinkRate, r.Sent, r.Left, r.Reported = got.Duration, got.LinkRate, got.Transferred, got.Remaining, got.DirtyRate
		if threads, why := x.threadShares(got.Start.Time, got.End.Time); why == "" {
			for _, th := range threads {
				if !r.CPU.Known || th.Share.Known && th.Share.Value > r.CPU.Value {
					r.CPU = th.Share
				}
			}
		}
	}
	var next *pass
	switch {
	case i+1 < len(m.passes):
		next = &m.passes[i+1]
	case len(m.final) > 0:
		next = &m.final[0]
	}
	if next != nil {
		length := next.edge.Time - p.edge.Time
		if t.Algorithm != results.AlgorithmXBZRLE && t.Algorithm != results.AlgorithmCompress { // which count theirs apart
			pages, _ := c.grown(&p, next, false)
			r.Pages = scaled(pages, pageSize)
		}
		r.After = c.remaining(Span{Start: next.edge, End: Edge{Time: next.edge.Time + length}}, next.n)
	}
	return r
}

// scaled is a number of things of one length in B.
func scaled(n quantity.Quantity, length float64) quantity.Quantity {
	if !n.Known {
		return quantity.Unknown(results.Bytes, n.Why)
	}
	return quantity.Within(n.Value*length, n.Low*length, n.High*length, results.Bytes)
}

// ended says how a migration ended that did not complete.
func (t *Timeline) ended(m *migration) string {
	switch {
	case m.calledOff():
		return "cancelled on purpose"
	case m.kill != nil:
		return "its destination was killed on purpose"
	case t.Reason != "":
		return t.Reason
	case m.failed != nil:
		return m.failed.What
	}
	return ""
}

// resident is the guest's memory without the pages that were sent as zero.
func (t *Timeline) resident() quantity.Quantity {
	zero := t.Metric(PagesZero).Quantity
	switch {
	case !t.Memory.Known:
		return t.Memory
	case !zero.Known:
		return quantity.Unknown(results.Bytes, zero.Why)
	case zero.Value*pageSize >= t.Memory.Value:
		return quantity.Unknown(results.Bytes, "more zero pages were sent than the guest has: pages that were sent again count twice")
	}
	return quantity.Exactly(t.Memory.Value-zero.Value*pageSize, results.Bytes)
}

// state is the length of the device state, as the packets show it.
func (t *Timeline) state() quantity.Quantity {
	switch {
	case t.Wire == nil:
		return quantity.Unknown(results.Bytes, t.WireMissing)
	case len(t.Wire.Devices) == 0:
		return quantity.Unknown(results.Bytes, "the packets show no device state")
	}
	var sum float64
	for _, d := range t.Wire.Devices {
		if !d.Bytes.Known || d.Bytes.Censored {
			return quantity.Unknown(results.Bytes, d.Bytes.Why)
		}
		sum += d.Bytes.Value
	}
	return quantity.Exactly(sum, results.Bytes)
}

// last is the latest sample of a name, whatever asked for it.
func (x *index) last(name string, u results.Unit) quantity.Quantity {
	list := x.byName[name]
	if len(list) == 0 {
		return quantity.Unknown(u, "the hypervisor reported none")
	}
	return quantity.Exactly(list[len(list)-1].Value, u)
}
