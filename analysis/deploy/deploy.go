// Package deploy tells how the guests of one trial came to be ready together: when the k-th was, what held them back, what
// their hosts had left, and what crossed the links for it. A guest that did not get ready is censored, never dropped.
package deploy

import (
	"cmp"
	"slices"
	"virtscope/analysis/edges"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/analysis/start"
	"virtscope/results"
)

// A Deployment is all starts of a trial. Times are in s.
type Deployment struct {
	Starts []start.Start `json:"starts"`
	// Kth are the times from the first arrival at which guests got ready, in order: entry k−1 is when k were. Guests that did
	// not get ready have none.
	Kth []float64 `json:"kth"`
	// Arrivals are the times from each guest's arrival until it was ready, in order.
	Arrivals []Sample `json:"arrivals"`
	Hosts    []Host   `json:"hosts,omitempty"`
	Images   []Image  `json:"images,omitempty"` // by host
	Fetched  []Amount `json:"fetched,omitempty"`
	Served   []Served `json:"served,omitempty"`
	// Pool is the substrates and their clones; nil where there were none.
	Pool *Pool `json:"pool,omitempty"`

	origin edges.Edge // the first arrival
	begun  bool
	cut    float64 // s from the first arrival until the end of the observation
}

// A Sample is one guest's value; Censored: it is at least that.
type Sample struct {
	Value    float64 `json:"v"`
	Censored bool    `json:"censored,omitempty"`
}

// An Amount is B of a guest.
type Amount struct {
	Guest string  `json:"guest,omitempty"`
	Bytes float64 `json:"bytes"`
}

// Build takes the starts of a trial together. action is the time from the action's begin to its end.
func Build(log *edges.Log, starts []start.Start, action edges.Window) *Deployment {
	d := &Deployment{Starts: starts}
	for i := range starts {
		if a := starts[i].Asked; a != nil && (!d.begun || a.Time < d.origin.Time) {
			d.origin, d.begun = *a, true
		}
	}
	d.cut = float64(max(0, action.To-d.origin.Time)) / 1e9
	for i := range starts {
		s := &starts[i]
		if d.begun && s.Ready != nil {
			d.Kth = append(d.Kth, edges.Between(d.origin, *s.Ready).Value)
		}
		if s.Arrival.Known {
			d.Arrivals = append(d.Arrivals, Sample{s.Arrival.Value, s.Arrival.Censored})
		}
	}
	slices.Sort(d.Kth)
	slices.SortFunc(d.Arrivals, func(a, b Sample) int { return cmp.Compare(a.Value, b.Value) })
	d.Hosts = hosts(log, action)
	d.readImages(log, action)
	d.Pool = pool(log)
	return d
}

// ready is the k-th time at which a guest got ready, from the first arrival.
func (d *Deployment) ready(k int) quantity.Quantity {
	if !d.begun {
		return quantity.Unknown(results.Seconds, "nobody recorded when guests were asked for")
	}
	var list []quantity.Quantity
	why := ""
	for i := range d.Starts {
		if r := d.Starts[i].Ready; r != nil {
			list = append(list, edges.Between(d.origin, *r))
			continue
		}
		why = d.Starts[i].Arrival.Why
	}
	if k > len(list) {
		return quantity.AtLeast(d.cut, results.Seconds, why)
	}
	return order(list, k)
}

// order is the k-th smallest of quantities, from 1: the bounds are the k-th smallest of theirs.
func order(list []quantity.Quantity, k int) quantity.Quantity {
	pick := func(of func(quantity.Quantity) float64) float64 {
		values := make([]float64, len(list))
		for i, q := range list {
			values[i] = of(q)
		}
		slices.Sort(values)
		return values[k-1]
	}
	for _, q := range list {
		if !q.Known {
			return q
		}
	}
	return quantity.Within(pick(func(q quantity.Quantity) float64 { return q.Value }), pick(func(q quantity.Quantity) float64 { return q.Low }),
		pick(func(q quantity.Quantity) float64 { return q.High }), results.Seconds)
}

// Metrics lists the figures of the deployment; package metric names them.
func (d *Deployment) Metrics() []metric.Metric {
	var list []metric.Metric
	add := func(name string, q quantity.Quantity) { list = append(list, metric.Metric{Name: name, Quantity: q}) }
	n := len(d.Starts)
	add(metric.DeployGuests, quantity.Exactly(float64(n), results.One))
	add(metric.DeployFailed, quantity.Exactly(float64(n-len(d.readyStarts())), results.One))
	if n > 0 {
		add(metric.DeployMakespan, d.ready(n))
		add(metric.DeployFirst, d.ready(1))
		add(metric.DeployHalf, d.ready((n+1)/2))
	}
	all := func(of func(*start.Start) quantity.Quantity) func(p float64) quantity.Quantity {
		var values []quantity.Quantity
		for i := range d.Starts {
			values = append(values, of(&d.Starts[i]))
		}
		return func(p float64) quantity.Quantity {
			return quantity.Quantile(values, p, results.Seconds, "no guest was started")
		}
	}
	arrival := all(func(s *start.Start) quantity.Quantity { return s.Arrival })
	add(metric.DeployReady50, arrival(0.5))
	add(metric.DeployReady90, arrival(0.9))
	add(metric.DeployReady99, arrival(0.99))
	add(metric.DeployReadyMax, arrival(1))
	wait := all(func(s *start.Start) quantity.Quantity { return s.Wait })
	add(metric.DeployWait50, wait(0.5))
	add(metric.DeployWaitMax, wait(1))
	took := all(func(s *start.Start) quantity.Quantity { return s.Time })
	add(metric.DeployStart50, took(0.5))
	add(metric.DeployStartMax, took(1))
	list = append(list, StartMetrics(d.Starts)...)
	list = append(list, d.provisionMetrics()...)
	list = append(list, d.hostMetrics()...)
	list = append(list, d.imageMetrics()...)
	return append(list, d.Pool.metrics()...)
}

func (d *Deployment) readyStarts() []start.Start {
	return slices.DeleteFunc(slices.Clone(d.Starts), func(s start.Start) bool { return s.Ready == nil })
}

// StartMetrics are the total and the phases of starts.
func StartMetrics(starts []start.Start) []metric.Metric {
	var totals []quantity.Quantity
	var phases []string
	for i := range starts {
		totals = append(totals, starts[i].Total)
		for _, name := range start.PhaseNames(starts[i].Kind) {
			if !slices.Contains(phases, name) {
				phases = append(phases, name)
			}
		}
	}
	list := []metric.Metric{{Name: metric.BootTotal, Quantity: quantity.Median(totals, results.Seconds, "no guest was started")}}
	for _, name := range phases {
		list = append(list, metric.Metric{Name: metric.BootPhase + name, Quantity: start.PhaseMedian(starts, name)})
	}
	return list
}

func (d *Deployment) provisionMetrics() []metric.Metric {
	var times, bytes []quantity.Quantity
	for i := range d.Starts {
		if s := &d.Starts[i]; s.Provision != nil {
			times, bytes = append(times, s.Provided), append(bytes, s.Allocated)
		}
	}
	if len(times) == 0 {
		return nil
	}
	return []metric.Metric{
		{Name: metric.DeployProvision, Quantity: quantity.Median(times, results.Seconds, "")},
		{Name: metric.DeployBytes, Quantity: quantity.Sum(bytes, results.Bytes, "")},
	}
}
