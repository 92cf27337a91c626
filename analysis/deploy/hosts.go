package deploy

import (
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

// A reading is what the CPUs' counters of one host showed at one instant: s by mode.
type reading struct {
	at    int64
	modes map[string]float64
}

// readings are those of a host within w. A sample has each mode once, so a mode that comes again begins the next.
func readings(log *edges.Log, w edges.Window, host string) []reading {
	var list []reading
	for _, r := range log.In(results.HostCPU, w) {
		if r.Host != host {
			continue
		}
		mode, n := r.Attrs["mode"], len(list)
		if n > 0 {
			_, again := list[n-1].modes[mode]
			if !again {
				list[n-1].modes[mode] = r.Value
				continue
			}
		}
		list = append(list, reading{r.Time, map[string]float64{mode: r.Value}})
	}
	return list
}

// tick is less than the kernel counts a CPU's time in, in s: what is below it is rounding.
const tick = 1e-3

// share is the part of the CPUs' time between two readings that was work.
func share(a, b reading) quantity.Quantity {
	var work, rest float64
	for mode, v := range b.modes {
		before, ok := a.modes[mode]
		if !ok {
			return quantity.Unknown(results.One, "the usage probe's samples of the CPUs are not of the same modes")
		}
		if slices.Contains(idle, mode) {
			rest += v - before
		} else {
			work += v - before
		}
	}
	switch {
	case work < -tick || rest < -tick:
		return quantity.Unknown(results.One, "the CPUs' counters ran backwards between the first and the last sample of the action")
	case work+rest < tick:
		return quantity.Unknown(results.One, "the CPUs' counters did not advance between the first and the last sample of the action")
	}
	work, rest = max(0, work), max(0, rest)
	return quantity.Exactly(work/(work+rest), results.One)
}

// busy is the share of a host's CPU time that was work, between the first and the last sample of the action, and from each sample
// to the next.
func busy(log *edges.Log, w edges.Window, host string) (quantity.Quantity, []Point) {
	list := readings(log, w, host)
	if len(list) < 2 {
		return quantity.Unknown(results.One, "the usage probe sampled the CPUs less than twice in the action"), nil
	}
	var points []Point
	for i := 1; i < len(list); i++ {
		if q := share(list[i-1], list[i]); q.Known {
			points = append(points, Point{float64(list[i].at-w.From) / 1e9, q.Value})
		}
	}
	return share(list[0], list[len(list)-1]), points
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
