package degradation

import (
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A Metric is one number of a trial, by name.
type Metric struct {
	Name string `json:"name"`
	quantity.Quantity
}

// Metrics lists all numbers of services. Each name is the service's (load, or load.KIND if several clients ran at once;
// work.KIND) and one of the following. What is not known is there, and says why.
//
//	throughput.baseline, .action, .after  1/s or B/s: requests answered, work done, or B received
//	p50, p90, p99, max .baseline …        s: latency of the requests due then (load of requests)
//	failed, pending                       1: requests due in the action and after it that broke or were never answered
//	kept-up                               1: what was achieved in the baseline of what was asked for
//	noise                                 1: share of the baseline's own bins below 90 % of its mean
//	below90, below50, below10             s: for how long it did less than that percentage of the baseline
//	lost                                  s: lost seconds, Σ max(0, 1 − ratio) · bin
//	lost.floor                            s: what the baseline's noise alone would lose in that time
//	recovery                              s: from the guest's resume until it does 90 % for 0.5 s
//	recovery.latency                      s: from the guest's resume until at most 1 % of the requests of 0.5 s take longer than 1.5 × the baseline's p99
//	stalls, stalls.baseline               1: of the stream's player
//	rebuffering                           s: for how long it stood still
//	datagrams.lost, .lost.baseline        1
//	benchmark.SET.rps.baseline …          1/s, s: rps, p50 and p99 of SET and GET by window, as redis-benchmark tells them; named thus, without the service's name
//	write.p50, .p90, .p99, .max .baseline … s: the disk's writes, by the guest's clock
func Metrics(services []Service) []Metric {
	var list []Metric
	for _, s := range services {
		list = append(list, s.metrics()...)
	}
	return list
}

func (s *Service) metrics() []Metric {
	var list []Metric
	add := func(name string, q quantity.Quantity) { list = append(list, Metric{s.Name + "." + name, q}) }
	levels := []struct {
		name string
		l    Level
	}{{"baseline", s.Baseline}, {"action", s.Action}, {"after", s.After}}
	for _, x := range levels {
		add("throughput."+x.name, x.l.Throughput)
	}
	for _, x := range levels {
		if l := x.l.Latency; l != nil {
			add("p50."+x.name, l.P50)
			add("p90."+x.name, l.P90)
			add("p99."+x.name, l.P99)
			add("max."+x.name, l.Max)
		}
	}
	if a, b := s.Action.Latency, s.After.Latency; a != nil && b != nil {
		add("failed", counted(a.Failed+b.Failed, a.Due+b.Due))
		add("pending", counted(a.Pending+b.Pending, a.Due+b.Due))
	}
	add("kept-up", s.KeptUp)
	add("noise", s.Noise)
	add("below90", s.Below90)
	add("below50", s.Below50)
	add("below10", s.Below10)
	add("lost", s.Lost)
	add("lost.floor", s.LostFloor)
	add("recovery", s.Recovery)
	if s.RecoveryLatency != nil {
		add("recovery.latency", *s.RecoveryLatency)
	}
	if r := s.Stream; r != nil {
		add("stalls", r.Stalls)
		add("stalls.baseline", r.BaselineStalls)
		add("rebuffering", r.Rebuffering)
		add("datagrams.lost", r.Lost)
		add("datagrams.lost.baseline", r.BaselineLost)
	}
	if s.Benchmark != nil {
		list = append(list, s.Benchmark.metrics()...)
	}
	if w := s.Writes; w != nil {
		for _, x := range []struct {
			name string
			t    WriteTimes
		}{{"baseline", w.Baseline}, {"action", w.Action}, {"after", w.After}} {
			add("write.p50."+x.name, x.t.P50)
			add("write.p90."+x.name, x.t.P90)
			add("write.p99."+x.name, x.t.P99)
			add("write.max."+x.name, x.t.Max)
		}
	}
	return list
}

// counted is a number of requests, of those that were due.
func counted(n, due int64) quantity.Quantity {
	if due == 0 {
		return quantity.Unknown(results.One, "no request was due")
	}
	return quantity.Exactly(float64(n), results.One)
}
