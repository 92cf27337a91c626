package timeline

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"virtscope/analysis/degradation"
	"virtscope/results"
)

// serve finds what the guest served and did, before, in and after the action, and appends its figures to the metrics.
func (t *Timeline) serve(x *index, obs observation) {
	if t.ActionEnd.Time <= t.ActionBegin.Time {
		return
	}
	w := degradation.Windows{
		Baseline: degradation.Window{From: obs.baseline.from, To: obs.baseline.to},
		Action:   degradation.Window{From: t.ActionBegin.Time, To: t.ActionEnd.Time},
		After:    degradation.Window{From: t.ActionEnd.Time, To: max(t.ActionEnd.Time, obs.span.to)},
	}
	if obs.stopped != nil {
		w.Stop, w.Resume = obs.stopped.from, obs.stopped.to
	}
	t.serveIn(x, obs, w)
}

// serveIn is serve with given windows.
func (t *Timeline) serveIn(x *index, obs observation, w degradation.Windows) {
	services, err := degradation.Build(x.all(), w)
	if err != nil {
		t.Warnings = append(t.Warnings, fmt.Sprintf("what the guest served is not known: %v", err))
		return
	}
	t.Services = services
	for _, m := range degradation.Metrics(services) {
		t.Metrics = append(t.Metrics, Metric{m.Name, m.Quantity})
	}
	asked := false
	for _, s := range services {
		t.Warnings = append(t.Warnings, s.Warnings...)
		asked = asked || s.Baseline.Latency != nil
	}
	if asked && obs.moved && (t.Client == "source" || t.Client == "destination") {
		t.Warnings = append(t.Warnings, fmt.Sprintf("the load client ran on the %s's host: before and after the switch-over its requests took different paths, so that latencies of the two are not of the same thing", t.Client))
	}
}

// all are the records on the controller's clock in order of time; those of one instant in the order of their names.
func (x *index) all() []results.Record {
	var flat []results.Record
	for _, name := range slices.Sorted(maps.Keys(x.byName)) {
		flat = append(flat, x.byName[name]...)
	}
	// Sorted are places: records hold pointers, which are slow to move.
	type place struct {
		time int64
		nth  int
	}
	places := make([]place, len(flat))
	for i := range flat {
		places[i] = place{flat[i].Time, i}
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.nth, b.nth)) })
	list := make([]results.Record, len(flat))
	for i, p := range places {
		list[i] = flat[p.nth]
	}
	return list
}
