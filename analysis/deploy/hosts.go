package deploy

import (
	"fmt"
	"slices"
	"virtscope/analysis/edges"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A Host is what the action left of a machine.
type Host struct {
	Name   string            `json:"name"`
	Busy   quantity.Quantity `json:"busy"`   // 1: share of its CPUs' time that was spent working
	Memory quantity.Quantity `json:"memory"` // B: most that was in use
	CPU    []Point           `json:"cpu,omitempty"`
}

// A Point is a value at T s from the action's begin.
type Point struct {
	T float64 `json:"t"`
	V float64 `json:"v"`
}

// idle are the modes in which a CPU does no work for this host.
var idle = []string{"idle", "iowait", "steal"}

// hosts reads the usage probe's samples of machines within the action.
func hosts(log *edges.Log, w edges.Window) []Host {
	var names []string
	for _, r := range log.In(results.HostCPU, w) {
		if !slices.Contains(names, r.Host) {
			names = append(names, r.Host)
		}
	}
	slices.Sort(names)
	var list []Host
	for _, name := range names {
		h := Host{Name: name, Memory: quantity.Unknown(results.Bytes, "the usage probe sampled no memory in the action")}
		h.Busy, h.CPU = busy(log, w, name)
		for _, r := range log.In(results.HostMemory, w) {
			if r.Host == name && (!h.Memory.Known || r.Value > h.Memory.Value) {
				h.Memory = quantity.Exactly(r.Value, results.Bytes)
			}
		}
		list = append(list, h)
	}
	return list
}

// busy is the share of a host's CPU time that was work, between the first and the last sample of the action: the probe's
// samples are whole readings of all modes at one instant.
func busy(log *edges.Log, w edges.Window, host string) (quantity.Quantity, []Point) {
	type reading struct {
		at         int64
		work, rest float64
	}
	var list []reading
	for _, r := range log.In(results.HostCPU, w) {
		if r.Host != host {
			continue
		}
		// The modes of one sample are stamped alike, or within a few µs.
		if n := len(list); n == 0 || r.Time-list[n-1].at > 1e6 {
			list = append(list, reading{at: r.Time})
		}
		last := &list[len(list)-1]
		if slices.Contains(idle, r.Attrs["mode"]) {
			last.rest += r.Value
		} else {
			last.work += r.Value
		}
	}
	if len(list) < 2 {
		return quantity.Unknown(results.One, "the usage probe sampled the CPUs less than twice in the action"), nil
	}
	var points []Point
	share := func(a, b reading) (float64, bool) {
		work, all := b.work-a.work, b.work+b.rest-a.work-a.rest
		return finite(work / all), work >= 0 && all > 0 && work <= all
	}
	for i := 1; i < len(list); i++ {
		if v, ok := share(list[i-1], list[i]); ok {
			points = append(points, Point{float64(list[i].at-w.From) / 1e9, v})
		}
	}
	v, ok := share(list[0], list[len(list)-1])
	if !ok {
		return quantity.Unknown(results.One, "the CPUs' counters do not advance"), points
	}
	return quantity.Exactly(v, results.One), points
}

// hostMetrics are of the host with most of each.
func (d *Deployment) hostMetrics() []metric.Metric {
	load := quantity.Unknown(results.One, "the usage probe sampled no machine in the action")
	memory := quantity.Unknown(results.Bytes, load.Why)
	for _, h := range d.Hosts {
		if !load.Known || h.Busy.Known && h.Busy.Value > load.Value {
			load = h.Busy
		}
		if !memory.Known || h.Memory.Known && h.Memory.Value > memory.Value {
			memory = h.Memory
		}
	}
	return []metric.Metric{{Name: metric.HostBusy, Quantity: load}, {Name: metric.HostMemoryPeak, Quantity: memory}}
}

// percent writes a share.
func percent(q quantity.Quantity) string {
	if !q.Known {
		return "—"
	}
	return fmt.Sprintf("%.0f %%", 100*q.Value)
}
