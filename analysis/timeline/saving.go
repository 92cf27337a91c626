package timeline

import (
	"maps"
	"slices"
	"virtscope/analysis/degradation"
	"virtscope/analysis/edges"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/analysis/saving"
	"virtscope/results"
)

// PhaseRunning is the time of an action in which nothing is saved or brought back.
const PhaseRunning = "running"

// checkpoint is the action that saves the guest, and may bring it back.
func (t *Timeline) checkpoint(x *index, o results.Outcome, obs observation) {
	log := x.log()
	r := saving.Build(log, t.action())
	t.Checkpoints = r
	t.Phases = named(t.ActionBegin, t.ActionEnd, r.Spans())
	t.take(r.Metrics(log, t.action()))
	before := x
	end := obs.span.to
	if lost := firstLoss(r.Restores); lost != nil {
		end = min(end, lost.Time)
		before = x.until(lost.Time)
	}
	var views []Outage
	t.Outages, views = before.savingViews(r.Checkpoints, obs, end)
	t.viewMetrics(metric.CheckpointWire, metric.CheckpointClient, metric.CheckpointGuest, views)
	if len(r.Restores) > 0 {
		t.viewMetrics(metric.RestoreWire, metric.RestoreClient, "", x.restoreViews(r.Restores, obs))
	}
	t.outageMetrics()
	t.serveWhole(before, obs, end)
	t.measureWork(before, obs)
	t.finish(x, o, obs)
}

// firstLoss is when the guest was first lost; nil if it never was.
func firstLoss(list []saving.Restore) *Edge {
	for _, r := range list {
		if r.Lost != nil {
			return r.Lost
		}
	}
	return nil
}

// until is the index without what the guest said, sent, or was asked from a time on: it is then another run of its clock and
// counters, and the silence before it is the loss's.
func (x *index) until(at int64) *index {
	y := *x
	y.byName = maps.Clone(x.byName)
	late := func(r results.Record) bool {
		switch r.Name {
		case results.GuestFrame, results.GuestAnnounce, results.EchoLost:
			return r.Time >= at
		case results.EchoRTT:
			return r.Time+int64(min(r.Value, maxOffset)*1e9) >= at
		}
		return r.Source == results.SourceGuest && r.Time >= at
	}
	for name, list := range y.byName {
		if slices.ContainsFunc(list, late) {
			y.byName[name] = slices.DeleteFunc(slices.Clone(list), late)
		}
	}
	return &y
}

// savingViews are the views of the longest outage of all checkpoints, and those of each checkpoint.
func (x *index) savingViews(list []saving.Checkpoint, obs observation, end int64) (longest, each []Outage) {
	all := obs
	all.span.to = max(all.span.from, end)
	var down Outage
	for _, c := range list {
		one := all
		one.action, one.span = c.Begin.Time, window{c.Begin.Time, max(c.Begin.Time, min(c.End.Time, end))}
		if c.Stopped != nil {
			one.stopped = &window{c.Stopped.Start.Time, c.Stopped.End.Time}
		}
		calm := one
		calm.action = obs.action // the guest's clock is judged by the time before all of them
		each = append(each, x.wire(one), x.client(one), x.guest(calm))
		if d := c.Downtime; d.Known && (!down.Known || d.Value > down.Value) {
			down = Outage{Quantity: d}
			if one.stopped != nil {
				down.From, down.To, all.stopped = one.stopped.from, one.stopped.to, one.stopped
			}
		}
	}
	if !down.Known {
		down.Quantity = quantity.Unknown(results.Seconds, "no hypervisor reported that the guest stopped for a checkpoint")
	}
	down.Name = Downtime
	down.Raw = quantity.Unknown(results.Seconds, "events bound it exactly")
	down.Floor = quantity.Unknown(results.Seconds, "events have no noise floor: their error is in the bounds")
	return []Outage{down, x.wire(all), x.client(all), x.guest(all)}, each
}

// restoreViews are the views from outside of each restore: from when the guest was lost until the next one was.
func (x *index) restoreViews(list []saving.Restore, obs observation) (views []Outage) {
	for i, r := range list {
		if r.Lost == nil {
			continue
		}
		one := obs
		one.moved, one.stopped = true, nil
		one.action, one.span = r.Lost.Time, window{r.Lost.Time, obs.span.to}
		for _, next := range list[i+1:] {
			if next.Lost != nil {
				one.span.to = next.Lost.Time
				break
			}
		}
		views = append(views, x.wire(one), x.client(one))
	}
	return views
}

// viewMetrics adds the median of each view; a name of "" is left out.
func (t *Timeline) viewMetrics(wire, client, guest string, views []Outage) {
	for _, m := range []struct{ name, view string }{{wire, BlackoutWire}, {client, BlackoutClient}, {guest, BlackoutGuest}} {
		var all []quantity.Quantity
		for _, v := range views {
			if v.Name == m.view {
				all = append(all, v.Quantity)
			}
		}
		if m.name != "" {
			t.Metrics = append(t.Metrics, Metric{m.name, quantity.Median(all, results.Seconds, "there was nothing to look at")})
		}
	}
}

// serveWhole finds what the guest served while it was there, up to end.
func (t *Timeline) serveWhole(x *index, obs observation, end int64) {
	to := min(t.ActionEnd.Time, end)
	if to <= t.ActionBegin.Time {
		return
	}
	w := degradation.Windows{
		Baseline: degradation.Window{From: obs.baseline.from, To: obs.baseline.to},
		Action:   degradation.Window{From: t.ActionBegin.Time, To: to},
		After:    degradation.Window{From: to, To: max(to, min(end, obs.span.to))},
	}
	// Of several stops none is the one after which the guest recovers.
	if t.Checkpoints != nil && len(t.Checkpoints.Checkpoints) == 1 {
		if s := t.Checkpoints.Checkpoints[0].Stopped; s != nil {
			w.Stop, w.Resume = s.Start.Time, s.End.Time
		}
	}
	t.serveIn(x, obs, w)
}

// measureWork adds what the workload wrote in the baseline and in the action.
func (t *Timeline) measureWork(x *index, obs observation) {
	t.Metrics = append(t.Metrics,
		Metric{DirtyRateBaseline, x.dirtyRate(obs.baseline, "there was no baseline")},
		Metric{DirtyRateAction, x.dirtyRate(window{t.ActionBegin.Time, t.ActionEnd.Time}, "the action did not begin")})
}

// named lays spans out, and calls what they leave running.
func named(begin, end Edge, spans []edges.Span) []Span {
	all, _ := attribute(begin, end, spans)
	for i := range all {
		if all[i].Name == Unattributed {
			all[i].Name = PhaseRunning
		}
	}
	return all
}
