package timeline

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"virtscope/analysis/metric"
	"virtscope/results"
)

// baselineOf is 2 s in which a client probes each 2 ms, and the workload reports what it wrote each 100 ms.
func baselineOf(rtt, rate func(at float64) float64) *index {
	x := &index{byName: map[string][]results.Record{}}
	for i := range 1000 {
		at := float64(i) * 0.002
		x.byName[results.EchoRTT] = append(x.byName[results.EchoRTT], results.Record{Time: int64(at * 1e9), Value: rtt(at)})
	}
	wrote := 0.0
	for i := range 21 {
		at := float64(i) / 10
		x.byName[results.GuestDirtied] = append(x.byName[results.GuestDirtied], results.Record{Time: int64(at * 1e9), Value: wrote})
		wrote += rate(at) / 10
	}
	return x
}

func TestUnsettled(t *testing.T) {
	w := window{0, 2e9}
	random := rand.New(rand.NewPCG(5, 5))
	noise := func() float64 { return math.Exp(0.2 * random.NormFloat64()) }
	flat := func(float64) float64 { return noise() }
	falling := func(at float64) float64 { return math.Exp(-0.4*at) * noise() }
	x := baselineOf(falling, flat)
	if d := x.driftOfRTT(w); !d.found || d.change.Value > -0.5 || d.change.Value < -1 {
		t.Errorf("round trips that fall by half: %+v", d)
	}
	x = baselineOf(flat, func(at float64) float64 { return (1 + 0.3*at) * (1 + 0.01*random.NormFloat64()) })
	if d := x.driftOfWriting(w); !d.found || d.change.Value < 0.3 || d.String() != fmt.Sprintf("the rate at which the workload writes memory rose by %.0f %% over the baseline (p = %.2g): the guest was not settled when the action began", 100*d.change.Value, d.p) {
		t.Errorf("a rate that rises: %+v", d)
	}
	// A change that is sure and small does not matter.
	x = baselineOf(func(at float64) float64 { return 1 + 0.02*at }, flat)
	if d := x.driftOfRTT(w); d.found || math.Abs(d.change.Value-0.0353) > 0.001 {
		t.Errorf("3.5 %%: %+v", d)
	}
	const runs = 500
	alarms := 0
	for range runs {
		x := baselineOf(flat, flat)
		if x.driftOfRTT(w).found {
			alarms++
		}
		if x.driftOfWriting(w).found {
			alarms++
		}
	}
	if alarms > 2*runs*2/100 {
		t.Errorf("%d of %d settled baselines are called unsettled", alarms, 2*runs)
	}
}

func TestUnsettledUnknown(t *testing.T) {
	one := func(float64) float64 { return 1 }
	x := baselineOf(one, func(float64) float64 { return 0 })
	for name, d := range map[string]drift{
		"no baseline":     x.driftOfRTT(window{}),
		"short":           x.driftOfRTT(window{0, 5e7}),
		"few reports":     x.driftOfWriting(window{0, 1e9}),
		"nothing written": x.driftOfWriting(window{0, 2e9}),
	} {
		if d.change.Known || d.change.Why == "" || d.found {
			t.Errorf("%s: %+v", name, d)
		}
	}
	if d := x.driftOfRTT(window{0, 2e9}); d.found || !d.change.Known || d.change.Value != 0 || d.name != metric.BaselineRTT {
		t.Errorf("all the same: %+v", d)
	}
}
