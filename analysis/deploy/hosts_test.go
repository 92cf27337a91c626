package deploy_test

import (
	"math"
	"strings"
	"testing"
	"virtscope/analysis/deploy"
	"virtscope/analysis/edges"
	"virtscope/analysis/edges/edgestest"
	"virtscope/results"
)

// A cpuSample is what the CPUs' counters show at a time in ms, in s.
type cpuSample struct {
	at                         int64
	user, system, idle, iowait float64
}

func cpuHost(t *testing.T, samples ...cpuSample) deploy.Host {
	t.Helper()
	var records []results.Record
	for _, s := range samples {
		for mode, v := range map[string]float64{"user": s.user, "system": s.system, "idle": s.idle, "iowait": s.iowait} {
			records = append(records, results.Record{
				Time: s.at * 1e6, Host: "machine", Source: results.SourceUsage, Name: results.HostCPU, Value: v, Unit: results.Seconds,
				Attrs: map[string]string{"mode": mode},
			})
		}
	}
	d := deploy.Build(edgestest.Log(records), nil, edges.Window{From: 0, To: 10e9})
	if len(d.Hosts) != 1 {
		t.Fatalf("%d hosts", len(d.Hosts))
	}
	return d.Hosts[0]
}

func TestBusy(t *testing.T) {
	for name, c := range map[string]struct {
		samples []cpuSample
		want    float64
		why     string
	}{
		"half":         {[]cpuSample{{0, 10, 5, 7, 1}, {1000, 10.5, 5.5, 8, 1}}, 0.5, ""},
		"full":         {[]cpuSample{{0, 10900.11, 4409.23, 13189.34, 51.94}, {1000, 10901.34, 4409.87, 13189.34, 51.94}}, 1, ""},
		"not at all":   {[]cpuSample{{0, 10900.11, 4409.23, 13189.34, 51.94}, {1000, 10900.11, 4409.23, 13191.34, 51.94}}, 0, ""},
		"waits undone": {[]cpuSample{{0, 10, 5, 7, 1.02}, {1000, 11, 5, 8.02, 1}}, 0.5, ""}, // the kernel's iowait may run backwards
		"two at once":  {[]cpuSample{{0, 100, 50, 70, 1}, {1000, 100.5, 50.5, 71, 1}, {1001, 100.5, 50.5, 71, 1}}, 0.5, ""},
		"standing":     {[]cpuSample{{0, 10, 5, 7, 1}, {1000, 10, 5, 7, 1}}, 0, "did not advance"},
		"backwards":    {[]cpuSample{{0, 10, 5, 7, 1}, {1000, 9, 5, 9, 1}}, 0, "ran backwards"},
		"one":          {[]cpuSample{{0, 10, 5, 7, 1}}, 0, "less than twice"},
	} {
		h := cpuHost(t, c.samples...)
		if c.why != "" {
			if h.Busy.Known || !strings.Contains(h.Busy.Why, c.why) {
				t.Errorf("%s: %+v, want %q", name, h.Busy, c.why)
			}
			continue
		}
		if !h.Busy.Known || math.Abs(h.Busy.Value-c.want) > 1e-9 || h.Busy.Value > 1 {
			t.Errorf("%s: %+v, want %v", name, h.Busy, c.want)
		}
	}
}

// Samples within a ms of each other are two, not the sum of both.
func TestSamplesCloseTogetherAreNotSummed(t *testing.T) {
	h := cpuHost(t, cpuSample{0, 100, 50, 70, 1}, cpuSample{1000, 100.5, 50.5, 71, 1}, cpuSample{1001, 100.5, 50.5, 71, 1})
	for _, p := range h.CPU {
		if math.Abs(p.V-0.5) > 1e-9 {
			t.Errorf("at %v s busy %v, truth 0.5", p.T, p.V)
		}
	}
}
