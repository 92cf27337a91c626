package noise

import (
	"math"
	"slices"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A reading is what a counter showed at one instant.
type reading struct {
	at    int64 // ns
	value float64
}

// ran is by how much a counter grew over how many s, between the first and the last reading within the window.
func (m *measurement) ran(list []reading) (grown, over float64, why string) {
	list = slices.DeleteFunc(slices.Clone(list), func(r reading) bool { return r.at < m.w.From || r.at > m.w.To })
	if len(list) < 2 || list[len(list)-1].at <= list[0].at {
		return 0, 0, "the usage probe sampled the machine less than twice while the trial was measured"
	}
	first, last := list[0], list[len(list)-1]
	if last.value < first.value {
		return 0, 0, "the counter ran backwards"
	}
	return last.value - first.value, float64(last.at-first.at) / 1e9, ""
}

// pressure is the share of the time between the first and the last sample. The kernel adds to the total in µs, at once where a task's
// state changes and at least every 2 s where it does not (psi.rst), so the error is small against a trial.
func (m *measurement) pressure(resource, kind string) quantity.Quantity {
	list := m.samples(results.HostPressure, map[string]string{"resource": resource, "kind": kind})
	if len(list) == 0 {
		return m.none(results.HostPressure, resource, results.One)
	}
	var readings []reading
	for _, r := range list {
		readings = append(readings, reading{r.Time, r.Value})
	}
	grown, over, why := m.ran(readings)
	if why != "" {
		return quantity.Unknown(results.One, why)
	}
	return quantity.Exactly(min(1, grown/over), results.One)
}

// Modes of CPU time: in which a CPU did nothing for this machine, and those of interrupts, which a kernel may or may not count in the
// interrupted process's time too (CONFIG_IRQ_TIME_ACCOUNTING).
var (
	restModes      = []string{"idle", "iowait", "steal"}
	interruptModes = []string{"irq", "softirq"}
)

// modes are the readings of the CPUs' time, by mode. Several hosts are a machine of ours and others: the first is taken.
func (m *measurement) modes() map[string][]reading {
	all := m.log.Named(results.HostCPU)
	byMode := map[string][]reading{}
	for _, r := range all {
		if r.Host == all[0].Host {
			byMode[r.Attrs["mode"]] = append(byMode[r.Attrs["mode"]], reading{r.Time, r.Value})
		}
	}
	return byMode
}

// steal is the stolen share of all time of the CPUs, which is the time times their number: the modes may add up to less (see others).
func (m *measurement) steal() quantity.Quantity {
	list := m.modes()["steal"]
	switch {
	case len(list) == 0:
		return m.none(results.HostCPU, "", results.One)
	case m.cpus == 0:
		return quantity.Unknown(results.One, noCPUs)
	}
	stolen, over, why := m.ran(list)
	if why != "" {
		return quantity.Unknown(results.One, why)
	}
	all := over * m.cpus
	return quantity.Within(min(1, stolen/all), max(0, stolen-tick*m.cpus)/all, min(1, (stolen+tick*m.cpus)/all), results.One)
}

const noCPUs = "the usage probe did not say how many CPUs there are"

// tick is the error of a CPU's time in s: counters are in ticks of 10 ms.
const tick = 0.01

// at interpolates a counter at t, which its readings enclose.
func at(list []reading, t int64) (v float64, ok bool) {
	i, found := slices.BinarySearchFunc(list, t, func(r reading, t int64) int { return int(min(1, max(-1, r.at-t))) })
	switch {
	case found:
		return list[i].value, true
	case i == 0 || i == len(list):
		return 0, false
	}
	a, b := list[i-1], list[i]
	return a.value + (b.value-a.value)*float64(t-a.at)/float64(b.at-a.at), true
}

// others is how many CPUs others used, and the same as a share of all: the time in which the machine's CPUs neither idled nor were stolen,
// less our own, between the first and the last sample of our own within the window.
//
// What the CPUs worked is not taken from user and system time: a kernel that counts those by what runs at each tick
// (CONFIG_TICK_CPU_ACCOUNTING) misses tasks that a timer wakes just after one, which is what probes and guests are. Idle time is
// measured from its begin to its end (CONFIG_NO_HZ_IDLE; get_cpu_idle_time_us of kernel/time/tick-sched.c), and so is our own.
//
// The bounds: time of interrupts is all ours, or none of it is; each counter is known to a tick. Where a kernel counts idle time by ticks
// too, of n ticks the share is uncertain by at most 1/(2√n): twice that is added, and no more than there was idle time.
func (m *measurement) others() (count, share quantity.Quantity) {
	unknown := func(why string) (a, b quantity.Quantity) {
		return quantity.Unknown(results.One, why), quantity.Unknown(results.One, why)
	}
	own := m.samples(results.HostOwnCPU, nil)
	switch {
	case len(own) == 0:
		return unknown(m.none(results.HostOwnCPU, "", results.One).Why)
	case m.cpus == 0:
		return unknown(noCPUs)
	}
	for i := 1; i < len(own); i++ {
		if own[i].Value < own[i-1].Value-tick {
			return unknown("our own CPU time ran backwards: a process has left the tree")
		}
	}
	byMode := m.modes()
	first, last := own[0], own[len(own)-1]
	over := float64(last.Time-first.Time) / 1e9
	if over <= 0 {
		return unknown("the usage probe sampled our own CPU time less than twice while the trial was measured")
	}
	sum := func(modes []string) (float64, bool) {
		var total float64
		for _, mode := range modes {
			a, ok := at(byMode[mode], first.Time)
			b, too := at(byMode[mode], last.Time)
			if !ok || !too {
				return 0, false
			}
			total += max(0, b-a) // idle and iowait may run backwards a little (proc_stat(5))
		}
		return total, true
	}
	rest, ok := sum(restModes)
	interrupts, too := sum(interruptModes)
	if !ok || !too {
		return unknown("the usage probe did not sample all modes of the CPUs around our own time")
	}
	whole := over * m.cpus
	all := whole - rest - (last.Value - first.Value)
	slack := tick*(1+float64(len(restModes))*m.cpus) + min(sampled(over, m.cpus), rest)
	low, high, value := max(0, all-interrupts-slack), max(0, all+slack), max(0, all-interrupts/2)
	return quantity.Within(value/over, low/over, high/over, results.One),
		quantity.Within(value/whole, low/whole, min(1, high/whole), results.One)
}

// ticksPerSecond is the fewest that a kernel is built for (CONFIG_HZ).
const ticksPerSecond = 100

// sampled is the error in s of a time that is counted by ticks on so many CPUs: two standard deviations of the share, which are largest
// where it is a half.
func sampled(over, cpus float64) float64 {
	return over * cpus / math.Sqrt(max(1, over*cpus*ticksPerSecond))
}
