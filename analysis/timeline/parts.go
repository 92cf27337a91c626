package timeline

import (
	"slices"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// partRates are the rates at which memory was sent before the guest stopped, and from the switch to post-copy on; from and to
// are when sending began and ended. Where post-copy lost its connection, the second ends there.
func (m *migration) partRates(x *index, payload flow, from, to Edge) (pre, post quantity.Quantity) {
	const u = results.BytesPerSecond
	if m.switched == nil {
		none := quantity.Unknown(u, "the migration did not turn to post-copy")
		return none, none
	}
	pre = quantity.Unknown(u, "no hypervisor reported that the guest stopped")
	begin := *m.switched
	if m.stop != nil {
		pre = rateOf(payload.during(from, *m.stop), x.final(results.MigrationPrecopyBytes, results.Bytes), from, *m.stop)
		if m.stop.Time > begin.Time { // before 8.2, it says so before it stops the guest
			begin = *m.stop
		}
	}
	counted := x.final(results.MigrationPostcopyBytes, results.Bytes)
	for _, p := range m.posts {
		if p.status == "postcopy-paused" && p.edge.Time >= begin.Time && p.edge.Time < to.Time {
			to, counted = p.edge, quantity.Unknown(results.Bytes, "the hypervisor's counter is that of all post-copy, not of that before it was paused")
			break
		}
	}
	return pre, rateOf(payload.during(begin, to), counted, begin, to)
}

// rateOf is the rate of the payload at the switch; where no capture saw it, that of the hypervisor's counter.
func rateOf(seen, counted quantity.Quantity, from, to Edge) quantity.Quantity {
	if !seen.Known {
		seen = counted
	}
	return quantity.Rate(seen, between(from, to), results.BytesPerSecond)
}

// beside names what else passed the migration's link, in its direction, within w.
func (x *index) beside(w window) []string {
	var list []string
	disk := x.readFlowOf(results.FlowDisk, results.FlowPayload, "forward")
	if disk.within(w) || disk.why != "" && len(x.in(results.DiskCopied, w)) > 0 {
		list = append(list, "the disk's copy")
	}
	forward := func(r results.Record) bool { return r.Attrs["direction"] != "reverse" }
	if slices.ContainsFunc(x.in(results.TrafficSent, w), forward) {
		list = append(list, "cross-traffic")
	}
	return list
}

// within reports whether anything of the flow passed within w.
func (f flow) within(w window) bool {
	for _, b := range f.bins {
		if b.bytes > 0 && w.overlaps(b.from, b.to) {
			return true
		}
	}
	return false
}
