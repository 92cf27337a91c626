package timeline_test

import (
	"bytes"
	"slices"
	"testing"
	"time"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/analysis/timeline"
	"virtscope/analysis/timeline/timelinetest"
	"virtscope/results"
)

func buildAction(t *testing.T, o results.Outcome, records []results.Record) *timeline.Timeline {
	t.Helper()
	tl, err := timeline.Build(o, records)
	if err != nil {
		t.Fatal(err)
	}
	addUp(t, tl)
	for _, m := range tl.Metrics {
		switch {
		case !m.Known && m.Why == "":
			t.Errorf("%s is unknown without a reason", m.Name)
		case m.Known && (m.Low > m.Value || m.Value > m.High && !m.Censored):
			t.Errorf("%s = %v is outside [%v, %v]", m.Name, m.Value, m.Low, m.High)
		}
	}
	return tl
}

func TestWriteActions(t *testing.T) {
	trials := map[string]func() (results.Outcome, []results.Record){}
	for name, b := range map[string]timelinetest.Boot{
		"boot.txt": {Seed: 3, Guests: 1, Method: "overlay", Systemd: true}, "boot-blind.txt": {Seed: 3, Guests: 1, Without: []string{results.BootFirmware, results.BootFrame}},
		"boot-many.txt": {Seed: 3, Guests: 6, Concurrency: 4, Fail: 1, Method: "nbd", Interval: 20 * time.Millisecond}, "substrate.txt": {Seed: 3, Guests: 3, Start: "substrate"},
	} {
		trials[name] = func() (results.Outcome, []results.Record) { o, r, _ := b.Make(); return o, r }
	}
	for name, k := range map[string]timelinetest.Keep{
		"checkpoint.txt":      {Seed: 3, Count: 3, Period: 600 * time.Millisecond, Restore: true, Disk: "incremental"},
		"recover.txt":         {Seed: 3, Recover: true, Period: 700 * time.Millisecond, Failures: 3, Every: 1500 * time.Millisecond, Alarms: 1},
		"recover-none.txt":    {Seed: 3, Recover: true, Period: 500 * time.Millisecond, For: 3 * time.Second},
		"checkpoint-live.txt": {Seed: 3, Count: 1, Live: true}, "checkpoint-refused.txt": {Seed: 3, Count: 1, Refuse: true},
	} {
		trials[name] = func() (results.Outcome, []results.Record) { o, r, _ := k.Make(); return o, r }
	}
	for name, s := range map[string]timelinetest.Served{"jobs.txt": {Seed: 3, Jobs: 8, Cap: 2, Preempt: true}, "jobs-failed.txt": {Seed: 3, Jobs: 5, Cap: 4, Fail: true}} {
		trials[name] = func() (results.Outcome, []results.Record) { o, r, _ := s.Make(); return o, r }
	}
	for name, make := range trials {
		o, records := make()
		var b bytes.Buffer
		if err := timeline.Write(&b, buildAction(t, o, records)); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.Bytes())
	}
}

// The views around checkpoints hold the truth, and do not take the loss of the guest for a checkpoint's stop.
func TestCheckpointViews(t *testing.T) {
	for seed := range uint64(5) {
		o, records, truth := timelinetest.Keep{Seed: seed, Count: 3, Period: 600 * time.Millisecond, Restore: true}.Make()
		tl := buildAction(t, o, records)
		down := slices.Sorted(slices.Values(truth.Downtimes))
		for name, want := range map[string]float64{
			metric.CheckpointDowntime: down[1], metric.CheckpointWire: down[1], metric.CheckpointClient: down[1], metric.CheckpointGuest: down[1],
			timeline.Downtime: down[2], timeline.BlackoutWire: down[2], timeline.BlackoutClient: down[2], timeline.BlackoutGuest: down[2],
			metric.RestoreDowntime: truth.Downs[0], metric.RestoreWire: truth.Downs[0], metric.RestoreClient: truth.Downs[0],
		} {
			if q := tl.Metric(name); !q.Known || q.Low > want+1e-5 || q.High < want-1e-5 || q.High-q.Low > 0.03 {
				t.Errorf("seed %d: %s = %s, truth %v", seed, name, quantity.ShowWithin(q.Quantity), want)
			}
		}
	}
}

func TestBootMetrics(t *testing.T) {
	o, records, truth := timelinetest.Boot{Guests: 1}.Make()
	tl := buildAction(t, o, records)
	want := float64(truth[""][results.BootAnswer]-truth[""][results.BootSpawn]) / 1e9
	if q := tl.Metric(metric.BootTotal); q.Low > want || q.High < want {
		t.Errorf("%+v, truth %v", q, want)
	}
	if tl.Migrates() || tl.Deployment == nil {
		t.Error("a boot is told as a migration")
	}
}
