package noise

import (
	"maps"
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

// modes of CPU time in which a CPU did something for this machine, and those of interrupts, of which a kernel may or may not count the
// time in the interrupted process's too (CONFIG_IRQ_TIME_ACCOUNTING).
var (
	workModes      = []string{"user", "nice", "system"}
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

// steal is the stolen share of all time of the CPUs.
func (m *measurement) steal() quantity.Quantity {
	byMode := m.modes()
	if len(byMode["steal"]) == 0 {
		return m.none(results.HostCPU, "", results.One)
	}
	stolen, _, why := m.ran(byMode["steal"])
	if why != "" {
		return quantity.Unknown(results.One, why)
	}
	all := 0.0
	for _, mode := range slices.Sorted(maps.Keys(byMode)) {
		grown, _, _ := m.ran(byMode[mode]) // idle and iowait may run backwards a little (proc_stat(5)): then they did not grow
		all += grown
	}
	if all <= 0 {
		return quantity.Unknown(results.One, "the CPUs' counters did not advance while the trial was measured")
	}
	return quantity.Within(stolen/all, max(0, stolen-tick*m.cpus)/all, min(1, (stolen+tick*m.cpus)/all), results.One)
}

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

// others is how many CPUs others used, and the same as a share of all: the time that the machine's CPUs worked, less our own, between
// the first and the last sample of our own within the window.
//
// The bounds: time of interrupts is all ours, or nobody's of our tree; the machine's time is known to a tick of each mode and CPU, and our own
// to one. A kernel that counts the machine's time by what runs at each tick (CONFIG_TICK_CPU_ACCOUNTING) samples it: of n ticks the share
// of a mode is uncertain by at most 1/(2√n), and twice that is added.
func (m *measurement) others() (count, share quantity.Quantity) {
	unknown := func(why string) (a, b quantity.Quantity) {
		return quantity.Unknown(results.One, why), quantity.Unknown(results.One, why)
	}
	own := m.samples(results.HostOwnCPU, nil)
	switch {
	case len(own) == 0:
		return unknown(m.none(results.HostOwnCPU, "", results.One).Why)
	case m.cpus == 0:
		return unknown("the usage probe did not say how many CPUs there are")
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
			total += max(0, b-a)
		}
		return total, true
	}
	work, ok := sum(workModes)
	interrupts, too := sum(interruptModes)
	if !ok || !too {
		return unknown("the usage probe did not sample all modes of the CPUs around our own time")
	}
	ours := last.Value - first.Value
	slack := tick*(1+m.cpus) + sampled(over, m.cpus)
	low, high := max(0, work-ours-slack), max(0, work+interrupts-ours+slack)
	value := max(0, work+interrupts/2-ours)
	count = quantity.Within(value/over, low/over, high/over, results.One)
	whole := over * m.cpus
	return count, quantity.Within(value/whole, low/whole, min(1, high/whole), results.One)
}

// ticksPerSecond is the fewest that a kernel is built for (CONFIG_HZ).
const ticksPerSecond = 100

// sampled is the error in s of a time that is counted by ticks on so many CPUs: two standard deviations of the share, which are largest
// where it is a half.
func sampled(over, cpus float64) float64 {
	return over * cpus / math.Sqrt(max(1, over*cpus*ticksPerSecond))
}
