// Package noise derives what else went on at the machine while a trial was measured, from the samples of the usage probe.
//
// Nothing here is judged: package validity does that, over the trials of a run.
package noise

import (
	"slices"
	"virtscope/analysis/edges"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

const noWindow = "nothing was measured: the action did not begin"

// Measure is the metrics of the machine within w, the time that a trial was measured; an empty w is a trial in which nothing was.
func Measure(log *edges.Log, w edges.Window) []metric.Metric {
	m := &measurement{log: log, w: w, cpus: cpus(log)}
	steal := m.steal()
	others, part := m.others()
	list := []metric.Metric{
		{Name: metric.NoiseSteal, Quantity: steal},
		{Name: metric.NoiseOthers, Quantity: others},
		{Name: metric.NoiseOthersPart, Quantity: part},
	}
	for _, p := range []struct{ name, resource, kind string }{
		{metric.NoiseCPU, "cpu", "some"},
		{metric.NoiseIO, "io", "some"},
		{metric.NoiseIOFull, "io", "full"},
		{metric.NoiseMemory, "memory", "some"},
		{metric.NoiseMemoryFull, "memory", "full"},
	} {
		list = append(list, metric.Metric{Name: p.name, Quantity: m.pressure(p.resource, p.kind)})
	}
	return append(list,
		metric.Metric{Name: metric.NoiseLoad, Quantity: m.mean(results.HostLoad, results.One, nil)},
		metric.Metric{Name: metric.NoiseRunnable, Quantity: m.mean(results.HostRunnable, results.One, nil)},
		metric.Metric{Name: metric.NoiseFaults, Quantity: m.count(results.HostFaults, "", nil)},
		metric.Metric{Name: metric.NoiseFreqMin, Quantity: m.least(results.HostFreq, results.Hertz, map[string]string{"of": "min"})},
		metric.Metric{Name: metric.NoiseFreqMean, Quantity: m.mean(results.HostFreq, results.Hertz, map[string]string{"of": "mean"})},
		metric.Metric{Name: metric.NoiseThrottled, Quantity: m.count(results.HostThrottle, "core", map[string]string{"of": "core"})},
	)
}

// A measurement is the samples of one trial.
type measurement struct {
	log  *edges.Log
	w    edges.Window
	cpus float64 // 0 if not known
}

func cpus(log *edges.Log) float64 {
	n := 0.0
	for _, r := range log.Named(results.HostCPUs) {
		n = max(n, min(r.Value, 1e5))
	}
	return n
}

// absent is why this machine has no such record; "" if nobody said. Part is the record's resource or kind.
func (m *measurement) absent(name, part string) string {
	if part != "" {
		name += " " + part
	}
	for _, r := range m.log.Named(results.UsageAbsent) {
		if r.Attrs[results.AttrAbsent] == name {
			return r.Attrs[results.AttrError]
		}
	}
	return ""
}

// none is a metric for which there are no samples.
func (m *measurement) none(name, part string, u results.Unit) quantity.Quantity {
	switch why := m.absent(name, part); {
	case why != "":
		return quantity.Unknown(u, why)
	case m.w.Seconds() <= 0:
		return quantity.Unknown(u, noWindow)
	}
	return quantity.Unknown(u, "the usage probe did not sample it while the trial was measured")
}

// samples are the records of a name with these attributes within the window.
func (m *measurement) samples(name string, attrs map[string]string) []results.Record {
	if m.w.Seconds() <= 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(m.log.In(name, m.w)), func(r results.Record) bool { return !has(r, attrs) })
}

func has(r results.Record, attrs map[string]string) bool {
	for k, v := range attrs {
		if r.Attrs[k] != v {
			return false
		}
	}
	return true
}

// mean is that of samples of a state, which are taken at equal intervals.
func (m *measurement) mean(name string, u results.Unit, attrs map[string]string) quantity.Quantity {
	list := m.samples(name, attrs)
	if len(list) == 0 {
		return m.none(name, "", u)
	}
	sum := 0.0
	for _, r := range list {
		sum += r.Value
	}
	return quantity.Exactly(sum/float64(len(list)), u)
}

func (m *measurement) least(name string, u results.Unit, attrs map[string]string) quantity.Quantity {
	list := m.samples(name, attrs)
	if len(list) == 0 {
		return m.none(name, "", u)
	}
	least := list[0].Value
	for _, r := range list {
		least = min(least, r.Value)
	}
	return quantity.Exactly(least, u)
}

// count is by how much a counter grew between the first and the last sample within the window; what came before the one and after the
// other is not known, so it is at least that.
func (m *measurement) count(name, part string, attrs map[string]string) quantity.Quantity {
	list := m.samples(name, attrs)
	if len(list) < 2 {
		return m.none(name, part, results.One)
	}
	first, last := list[0].Value, list[len(list)-1].Value
	if last < first {
		return quantity.Unknown(results.One, "the counter ran backwards")
	}
	return quantity.AtLeast(last-first, results.One, "what came before the first sample and after the last is not known")
}
