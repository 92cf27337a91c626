package noise

import (
	"math"
	"strings"
	"testing"
	"virtscope/analysis/edges"
	"virtscope/analysis/edges/edgestest"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

const second = int64(1e9)

// A scene is a machine of two CPUs, sampled every 0.1 s for 10 s.
type scene struct {
	others, ours, steal float64 // CPUs
	softirq             float64
	pressure            float64 // share of the time
	missed              float64 // share of what ran that the kernel's ticks missed
	without             string  // a record that there is none of
}

func (s scene) records() []results.Record {
	var list []results.Record
	add := func(t int64, name string, v float64, u results.Unit, attrs ...string) {
		if name == s.without {
			return
		}
		r := results.Record{Time: t, Host: "controller", Source: results.SourceUsage, Name: name, Value: v, Unit: u, Attrs: map[string]string{}}
		for i := 0; i < len(attrs); i += 2 {
			r.Attrs[attrs[i]] = attrs[i+1]
		}
		list = append(list, r)
	}
	add(0, results.HostCPUs, 2, results.One)
	add(0, results.UsageAbsent, 0, results.Event, results.AttrAbsent, results.HostFreq, results.AttrError, "no CPU has one")
	for i := range int64(101) {
		t := i * second / 10
		at := float64(i) / 10
		idle := 2 - s.others - s.ours - s.steal - s.softirq
		for mode, cpus := range map[string]float64{
			"user": (s.others + s.ours) / 2 * (1 - s.missed), "system": (s.others + s.ours) / 2 * (1 - s.missed), "nice": 0, "idle": idle, "iowait": 0, "irq": 0, "softirq": s.softirq, "steal": s.steal,
		} {
			add(t, results.HostCPU, 1000+cpus*at, results.Seconds, "mode", mode)
		}
		add(t, results.HostPressure, 7+s.pressure*at, results.Seconds, "resource", "cpu", "kind", "some")
		add(t, results.HostLoad, 3, results.One)
		if i%3 == 0 {
			add(t, results.HostOwnCPU, 50+s.ours*at, results.Seconds)
			add(t, results.HostThrottle, float64(i/50), results.One, "of", "core")
		}
	}
	return list
}

func measure(s scene, w edges.Window) map[string]quantity.Quantity {
	got := map[string]quantity.Quantity{}
	for _, m := range Measure(edgestest.Log(s.records()), w) {
		got[m.Name] = m.Quantity
	}
	return got
}

func TestMeasure(t *testing.T) {
	w := edges.Window{From: 2 * second, To: 9 * second}
	got := measure(scene{others: 0.5, ours: 0.7, steal: 0.1, softirq: 0.02, pressure: 0.4}, w)
	for name, want := range map[string]float64{
		metric.NoiseSteal: 0.05, metric.NoiseOthers: 0.51, metric.NoiseOthersPart: 0.255, metric.NoiseCPU: 0.4, metric.NoiseLoad: 3, metric.NoiseThrottled: 1,
	} {
		q := got[name]
		if !q.Known || math.Abs(q.Value-want) > 1e-6 || q.Low > want+1e-6 || q.High < want-1e-6 {
			t.Errorf("%s: %+v, want %v", name, q, want)
		}
	}
	// Ticks that miss what a timer wakes change nothing.
	got = measure(scene{others: 0.5, ours: 0.7, steal: 0.1, softirq: 0.02, pressure: 0.4, missed: 0.6}, w)
	if q := got[metric.NoiseOthers]; math.Abs(q.Value-0.51) > 1e-6 || math.Abs(got[metric.NoiseSteal].Value-0.05) > 1e-6 {
		t.Errorf("ticks missed: others %+v, steal %+v", q, got[metric.NoiseSteal])
	}
	// The truth lies within, whether interrupts are the trial's own or not.
	if q := got[metric.NoiseOthers]; q.Low > 0.5 || q.High < 0.52 || q.High-q.Low > 0.3 {
		t.Errorf("others: %+v", q)
	}
	if q := got[metric.NoiseFreqMean]; q.Known || q.Why != "no CPU has one" {
		t.Errorf("frequency: %+v", q)
	}
	if q := got[metric.NoiseIO]; q.Known || !strings.Contains(q.Why, "did not sample it") {
		t.Errorf("pressure of disks: %+v", q)
	}
}

func TestQuietMachine(t *testing.T) {
	got := measure(scene{ours: 2}, edges.Window{From: 2 * second, To: 9 * second})
	if q := got[metric.NoiseOthers]; !q.Known || q.Value > 1e-9 || q.Low != 0 {
		t.Errorf("others: %+v, want 0: all work was ours", q)
	}
	if q := got[metric.NoiseSteal]; !q.Known || q.Value != 0 || q.Low != 0 || q.High > 0.01 {
		t.Errorf("steal: %+v", q)
	}
}

func TestUnknown(t *testing.T) {
	w := edges.Window{From: 2 * second, To: 9 * second}
	for without, names := range map[string][]string{
		results.HostOwnCPU:   {metric.NoiseOthers, metric.NoiseOthersPart},
		results.HostCPUs:     {metric.NoiseOthers, metric.NoiseSteal},
		results.HostCPU:      {metric.NoiseSteal, metric.NoiseOthers},
		results.HostPressure: {metric.NoiseCPU},
	} {
		got := measure(scene{others: 1, without: without}, w)
		for _, name := range names {
			if q := got[name]; q.Known || q.Why == "" {
				t.Errorf("without %s: %s is %+v", without, name, q)
			}
		}
	}
	for name, q := range measure(scene{others: 1}, edges.Window{}) {
		if q.Known || q.Why == "" {
			t.Errorf("no window: %s is %+v", name, q)
		}
	}
	for _, name := range []string{metric.NoiseOthers, metric.NoiseCPU} {
		if q := measure(scene{others: 1}, edges.Window{From: 2 * second, To: 2*second + 10}); q[name].Known {
			t.Errorf("a window without two samples: %s is %+v", name, q[name])
		}
	}
}
