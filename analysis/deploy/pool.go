package deploy

import (
	"fmt"
	"slices"
	"strings"
	"virtscope/analysis/edges"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A Pool is the substrates of a trial, and what their clones take.
type Pool struct {
	Docked    quantity.Quantity `json:"docked"`  // B of memory, of all hosts
	Count     quantity.Quantity `json:"count"`   // 1
	Made      quantity.Quantity `json:"made"`    // s, the median
	Private   quantity.Quantity `json:"private"` // B, the median of the guests
	Density   quantity.Quantity `json:"density"` // 1: guests a GiB
	Checked   quantity.Quantity `json:"checked"` // 1
	Conflicts quantity.Quantity `json:"conflicts"`
	Told      []string          `json:"told,omitempty"` // what the conflicts were
}

// pool reads what is known of substrates and of the guests' memory; nil if nothing is.
func pool(log *edges.Log) *Pool {
	docked, private, checked := log.Named(results.SubstrateDocked), log.Named(results.GuestPrivate), log.Named(results.IdentityChecked)
	conflicts := log.Named(results.IdentityConflict)
	if len(docked)+len(private)+len(checked)+len(conflicts) == 0 {
		return nil
	}
	p := &Pool{}
	var bytes, counts, made, each []quantity.Quantity
	for _, r := range docked {
		n, ok := edges.Number(r, "count")
		if !ok {
			n = 1
		}
		bytes, counts = append(bytes, quantity.Exactly(r.Value, results.Bytes)), append(counts, quantity.Exactly(n, results.One))
	}
	for _, r := range log.Named(results.SubstrateMade) {
		made = append(made, quantity.Exactly(r.Value, results.Seconds))
	}
	for _, r := range private {
		each = append(each, quantity.Exactly(r.Value, results.Bytes))
	}
	p.Docked = quantity.Sum(bytes, results.Bytes, "no substrate was docked")
	p.Count = quantity.Sum(counts, results.One, "no substrate was docked")
	p.Made = quantity.Median(made, results.Seconds, "nobody said how long a substrate took to make")
	p.Private = quantity.Median(each, results.Bytes, "nobody read the guests' private memory")
	p.Density = quantity.Rate(quantity.Exactly(1<<30, results.Bytes), p.Private, results.One)
	const unchecked = "no guest's identity was asked at the end"
	p.Checked, p.Conflicts = quantity.Unknown(results.One, unchecked), quantity.Unknown(results.One, unchecked)
	if n := len(checked); n > 0 {
		p.Checked = quantity.Exactly(checked[n-1].Value, results.One)
		if c, ok := edges.Number(checked[n-1], "conflicts"); ok {
			p.Conflicts = quantity.Exactly(c+float64(onWire(conflicts)), results.One)
		}
	}
	if !p.Conflicts.Known && len(conflicts) > 0 {
		p.Conflicts = quantity.AtLeast(float64(len(conflicts)), results.One, "the check of identities did not say how many")
	}
	for _, r := range conflicts {
		p.Told = append(p.Told, fmt.Sprintf("%s %s: %s", r.Attrs["kind"], r.Attrs["value"], r.Attrs["guests"]))
	}
	slices.SortFunc(p.Told, strings.Compare)
	return p
}

// onWire is how many conflicts a capture saw: the runner counts those that it found by asking.
func onWire(conflicts []results.Record) (n int) {
	for _, r := range conflicts {
		if r.Source != results.SourceRunner {
			n++
		}
	}
	return n
}

func (p *Pool) metrics() []metric.Metric {
	if p == nil {
		return nil
	}
	var list []metric.Metric
	if p.Docked.Known {
		list = []metric.Metric{{Name: metric.SubstrateDocked, Quantity: p.Docked}, {Name: metric.SubstrateMade, Quantity: p.Made}}
	}
	return append(list,
		metric.Metric{Name: metric.GuestPrivate, Quantity: p.Private}, metric.Metric{Name: metric.GuestDensity, Quantity: p.Density},
		metric.Metric{Name: metric.IdentityChecked, Quantity: p.Checked}, metric.Metric{Name: metric.IdentityConflict, Quantity: p.Conflicts})
}
