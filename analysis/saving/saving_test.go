package saving_test

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"virtscope/analysis/edges"
	"virtscope/analysis/edges/edgestest"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/analysis/saving"
	"virtscope/analysis/timeline/timelinetest"
	"virtscope/results"
)

func build(k timelinetest.Keep) (*saving.Report, []metric.Metric, timelinetest.KeepTruth) {
	_, records, truth := k.Make()
	log, w := edgestest.Log(records), edgestest.Action(records)
	r := saving.Build(log, w)
	return r, r.Metrics(log, w), truth
}

func figure(t *testing.T, list []metric.Metric, name string) quantity.Quantity {
	t.Helper()
	for _, m := range list {
		if m.Name == name {
			return m.Quantity
		}
	}
	t.Fatalf("no metric %s", name)
	return quantity.Quantity{}
}

func near(a, b float64) bool { return math.Abs(a-b) < 3e-6 }

func TestPhasesAddUp(t *testing.T) {
	for name, k := range map[string]timelinetest.Keep{
		"stop": {Count: 4, Period: 500 * time.Millisecond}, "live": {Count: 3, Live: true, Period: 400 * time.Millisecond},
		"disk": {Count: 4, Disk: "incremental", Period: 500 * time.Millisecond}, "restore": {Count: 1, Restore: true, Period: 300 * time.Millisecond},
	} {
		for seed := range uint64(10) {
			k.Seed = seed
			r, list, truth := build(k)
			if len(r.Checkpoints) != k.Count {
				t.Fatalf("%s: %d checkpoints", name, len(r.Checkpoints))
			}
			for i, c := range r.Checkpoints {
				if got := edges.Total(c.Phases); int64(got) != c.End.Time-c.Begin.Time {
					t.Errorf("%s: phases of %d add up to %v: %+v", name, c.N, got, c.Phases)
				}
				if !near(c.Total.Value, truth.Totals[i]) || !near(c.Downtime.Value, truth.Downtimes[i]) {
					t.Errorf("%s: %d took %v, down %v, truth %v and %v", name, c.N, c.Total.Value, c.Downtime.Value, truth.Totals[i], truth.Downtimes[i])
				}
				if q := c.Phase(edges.Unattributed); q.Value != 0 || len(c.Notes) > 0 {
					t.Errorf("%s: unattributed %v, %v", name, q.Value, c.Notes)
				}
			}
			if q := figure(t, list, metric.CheckpointRatio); q.Value != 4 {
				t.Errorf("%s: ratio %v", name, q.Value)
			}
		}
	}
}

// A guest that runs on while it is saved is dumped all the time but for its stop.
func TestLiveDumpHoldsTheStop(t *testing.T) {
	r, _, _ := build(timelinetest.Keep{Count: 1, Live: true})
	c := r.Checkpoints[0]
	if q := c.Phase(saving.Dump); q.Value < 0.15 || c.Downtime.Value > 0.01 {
		t.Errorf("dump %v, downtime %v", q.Value, c.Downtime.Value)
	}
	if q := c.Phase(saving.Freeze); q.Known {
		t.Errorf("a live checkpoint has a phase freeze: %+v", q)
	}
}

func TestMissingEndIsUnattributed(t *testing.T) {
	_, records, _ := timelinetest.Keep{Count: 1}.Make()
	records = slices.DeleteFunc(records, func(r results.Record) bool { return r.Name == results.CheckpointDumped })
	c := saving.Build(edgestest.Log(records), edgestest.Action(records)).Checkpoints[0]
	if q := c.Phase(saving.Dump); q.Known {
		t.Errorf("dump without an end is %+v", q)
	}
	if got := edges.Total(c.Phases); int64(got) != c.End.Time-c.Begin.Time {
		t.Errorf("phases add up to %v", got)
	}
}

func TestNotKept(t *testing.T) {
	_, records, _ := timelinetest.Keep{Count: 2, Period: 300 * time.Millisecond}.Make()
	n := 0
	for i, r := range records {
		if r.Name == results.CheckpointEnd && r.Attrs["checkpoint"] == "guest-002" {
			records[i].Attrs = map[string]string{"checkpoint": "guest-002", "error": "no space left on device"}
			n++
		}
	}
	log, w := edgestest.Log(records), edgestest.Action(records)
	r := saving.Build(log, w)
	list := r.Metrics(log, w)
	if q := figure(t, list, metric.CheckpointFailed); n != 1 || q.Value != 1 {
		t.Errorf("failed %v", q.Value)
	}
	if c := r.Checkpoints[1]; !c.Total.Censored || c.Failed == "" {
		t.Errorf("%+v", c.Total)
	}
}

func TestRestore(t *testing.T) {
	r, list, truth := build(timelinetest.Keep{Count: 2, Period: 400 * time.Millisecond, Restore: true})
	if len(r.Restores) != 1 {
		t.Fatalf("%d restores", len(r.Restores))
	}
	x := r.Restores[0]
	if got := edges.Total(x.Phases); int64(got) != x.End.Time-x.Begin.Time {
		t.Errorf("phases add up to %v", got)
	}
	for name, want := range map[string]float64{metric.RestoreOutage: truth.Recovery[0], metric.RestoreDowntime: truth.Downs[0]} {
		if q := figure(t, list, name); q.Low > want || q.High < want || q.High-q.Low > 0.01 {
			t.Errorf("%s = %s, truth %v", name, quantity.ShowWithin(q), want)
		}
	}
	if q := figure(t, list, metric.RestorePhase+saving.Load); q.Value < 0.08 || q.Value > 0.082 {
		t.Errorf("load %v", q.Value)
	}
}

func TestChainOfDisks(t *testing.T) {
	_, list, _ := build(timelinetest.Keep{Count: 4, Disk: "incremental", Period: 500 * time.Millisecond})
	for name, want := range map[string]float64{metric.DiskFull: 32 << 20, metric.DiskIncrement: 2 << 20, metric.DiskChain: 38 << 20} {
		if q := figure(t, list, name); q.Value != want {
			t.Errorf("%s = %v, want %v", name, q.Value, want)
		}
	}
}

func TestRefused(t *testing.T) {
	r, list, _ := build(timelinetest.Keep{Count: 1, Refuse: true})
	if q := figure(t, list, metric.CheckpointRefused); q.Value != 1 || len(r.Damaged) != 1 {
		t.Errorf("refused %v, damaged %v", q.Value, r.Damaged)
	}
	var b bytes.Buffer
	for _, s := range r.Sections() {
		s.Write(&b)
	}
	for _, want := range []string{"damaged on purpose: flip of memory at 4096 B", "SHA-256 differs", "mode stop, format stream"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in:\n%s", want, b.String())
		}
	}
}
