package timeline

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"virtscope/analysis/convergence"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// cpuTick is the error of a CPU time in s that the kernel counts in clock ticks of 10 ms: user and system time are each
// cut to one, at both edges (proc(5), USER_HZ).
const cpuTick = 0.02

// Roles of hypervisor processes, as the usage probe names them.
const (
	roleSource      = "source"
	roleDestination = "destination"
)

// processCPU is the CPU time of the processes of a role in the action.
func (x *index) processCPU(role string, from, to int64) quantity.Quantity {
	groups := x.counters(results.ProcessCPU, func(r results.Record) string {
		if r.Attrs["process"] != role {
			return ""
		}
		return r.Host + "/" + r.Attrs["pid"]
	})
	if len(groups) == 0 {
		return quantity.Unknown(results.Seconds, fmt.Sprintf("the usage probe sampled no %s process", role))
	}
	return x.sumGrown(groups, from, to, x.cpus())
}

// migrationCPU is the CPU time of the hypervisors' migration threads in the action.
func (x *index) migrationCPU(from, to int64) quantity.Quantity {
	groups := x.counters(results.ThreadCPU, func(r results.Record) string {
		if !migrationThread(r.Attrs["thread"]) {
			return ""
		}
		return r.Host + "/" + r.Attrs["pid"] + "/" + r.Attrs["tid"]
	})
	if len(groups) == 0 {
		return quantity.Unknown(results.Seconds, "the usage probe sampled no migration thread: the migration may have been shorter than its interval")
	}
	x.born(groups, from)
	return x.sumGrown(groups, from, to, 1)
}

// born lets threads that were not there before from begin at 0 then. Only where its process was sampled before the action is
// it known that they were not.
func (x *index) born(groups map[string][]sample, from int64) {
	sampled := x.byName[results.ProcessCPU]
	if len(sampled) == 0 || sampled[0].Time > from {
		return
	}
	for k, list := range groups {
		if list[0].at > from {
			groups[k] = append([]sample{{at: from}}, list...)
		}
	}
}

// inTicks reports whether all readings are whole clock ticks.
func inTicks(list []sample) bool {
	for _, s := range list {
		if ticks := s.value * 100; math.Abs(ticks-math.Round(ticks)) > 1e-6 {
			return false
		}
	}
	return true
}

// widest is how wide the bounds of a share of a core may be to tell whether the core was used up.
const widest = 0.4

// threadShares are the shares of one core that the source's migration threads used between two times; why says why there are none.
func (x *index) threadShares(from, to int64) (list []convergence.Thread, why string) {
	names := map[string]string{}
	groups := x.counters(results.ThreadCPU, func(r results.Record) string {
		if r.Attrs["process"] != roleSource || !migrationThread(r.Attrs["thread"]) {
			return ""
		}
		key := r.Host + "/" + r.Attrs["pid"] + "/" + r.Attrs["tid"]
		names[key] = r.Attrs["thread"]
		return key
	})
	if len(groups) == 0 {
		return nil, "the usage probe sampled no migration thread of the source: the migration may have been shorter than its interval"
	}
	if to <= from {
		return nil, "no memory was sent"
	}
	x.born(groups, from)
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		used := x.sumGrown(map[string][]sample{key: groups[key]}, from, to, 1)
		share := quantity.Rate(used, quantity.Exactly(seconds(to-from), results.Seconds), results.One)
		if share.Known && share.High-share.Low > widest {
			share = quantity.Unknown(results.One, "the time is too short against the usage probe's interval")
		}
		list = append(list, convergence.Thread{Name: names[key], Share: share})
	}
	return list, ""
}

func (x *index) sumGrown(groups map[string][]sample, from, to int64, cores float64) quantity.Quantity {
	var value, low, high float64
	for _, list := range groups {
		v, l, h := grown(list, from, to, cores)
		err := 0.0
		if inTicks(list) {
			err = cpuTick
		}
		value, low, high = value+v, low+max(0, l-err), high+h+err
	}
	return quantity.Within(value, low, high, results.Seconds)
}

func (x *index) cpus() float64 {
	n := 1.0
	for _, r := range x.byName[results.HostCPUs] {
		n = max(n, min(r.Value, 1e5))
	}
	return n
}

// migrationThread reports whether a thread belongs to a migration: QEMU calls them live_migration and multifdsend_0 up to
// 9.0, and mig/src/main, mig/dst/recv_0 and so on from 9.1.
func migrationThread(name string) bool {
	return strings.Contains(name, "migration") || strings.HasPrefix(name, "mig/") || strings.HasPrefix(name, "multifd")
}

// vcpuThread reports whether a thread runs a virtual CPU: QEMU calls them "CPU 0/KVM" and "CPU 0/TCG", or "ALL CPUs/TCG".
func vcpuThread(name string) bool {
	return strings.HasPrefix(name, "CPU ") || strings.HasPrefix(name, "ALL CPUs")
}
