package timeline_test

import (
	"bytes"
	"testing"
	"time"
	"virtscope/analysis/metric"
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
	for name, make := range trials {
		o, records := make()
		var b bytes.Buffer
		if err := timeline.Write(&b, buildAction(t, o, records)); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.Bytes())
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
