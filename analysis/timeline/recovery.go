package timeline

import (
	"maps"
	"virtscope/analysis/edges"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/analysis/recovery"
	"virtscope/results"
)

// recover is the action in which the guest is saved periodically, fails, and comes back.
func (t *Timeline) recover(x *index, o results.Outcome, obs observation) {
	log := x.log()
	begin := x.byName[results.ActionBegin][0]
	r := recovery.Build(log, t.action(), edges.Window{From: obs.baseline.from, To: obs.baseline.to}, begin)
	t.Recovery = r
	t.Phases = named(t.ActionBegin, t.ActionEnd, r.Spans())
	t.LinkDowns = x.linkDowns(obs.span)
	t.Warnings = append(t.Warnings, r.Warnings...)
	for i := range r.Failures {
		r.Failures[i].Outage = x.outageOf(r.Failures, i, obs)
	}
	t.take(r.Metrics(log, t.action()))
	if len(r.Saving.Restores) == 0 {
		var each []Outage
		t.Outages, each = x.savingViews(r.Saving.Checkpoints, obs, obs.span.to)
		t.viewMetrics(metric.CheckpointWire, metric.CheckpointClient, metric.CheckpointGuest, each)
		t.outageMetrics()
	}
	if len(r.Saving.Restores) > 0 {
		// The guest's own counters are taken back with it: what they lost is told above.
		x = x.without(results.GuestDirtied, results.GuestAsked, results.GuestWork, results.GuestDiskTimes, results.GuestDiskStall)
	}
	t.serveWhole(x, obs, obs.span.to)
	t.finish(x, o, obs)
}

// without is the index without the records of some names.
func (x *index) without(names ...string) *index {
	y := *x
	y.byName = maps.Clone(x.byName)
	for _, name := range names {
		delete(y.byName, name)
	}
	return &y
}

// outageOf is what a client saw of the i-th failure, until the next one.
func (x *index) outageOf(list []recovery.Failure, i int, obs observation) quantity.Quantity {
	f := list[i]
	obs.moved, obs.stopped, obs.action = true, nil, f.Injected.Time
	obs.span = window{f.Injected.Time, obs.span.to}
	if i+1 < len(list) {
		obs.span.to = max(obs.span.from, list[i+1].Injected.Time)
	}
	return x.client(obs).Quantity
}

// outageMetrics adds the views of the longest outage, and their noise floors.
func (t *Timeline) outageMetrics() {
	for _, out := range t.Outages {
		t.Metrics = append(t.Metrics, Metric{out.Name, out.Quantity})
		if out.Name != Downtime {
			t.Metrics = append(t.Metrics, Metric{out.Name + FloorSuffix, out.Floor})
		}
	}
}
