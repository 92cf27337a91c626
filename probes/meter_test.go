package probes

import (
	"testing"
	"virtscope/results"
)

func TestMeter(t *testing.T) {
	t.Parallel()
	m := NewMeter("src", "usage")
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		done := m.Thread()
		defer done()
		for begin := threadCPU(); threadCPU()-begin < 20e6; { // 20 ms of CPU, however long that takes
		}
	}()
	<-finished
	m.Late(2)
	m.Late(1)
	m.Dropped(5)
	var rec log
	m.Record(&rec)
	values := map[string]float64{}
	for _, r := range rec.records {
		values[r.Name] = r.Value
		if r.Host != "src" || r.Source != "usage" {
			t.Fatalf("got %+v", r)
		}
	}
	if cpu := values[results.ProbeCPU]; cpu < 0.020 || cpu > 0.5 {
		t.Errorf("burnt 20 ms, counted %v s", cpu)
	}
	if wall := values[results.ProbeWall]; wall < values[results.ProbeCPU] {
		t.Errorf("one thread cannot use more CPU (%v s) than time passes (%v s)", values[results.ProbeCPU], wall)
	}
	if values[results.ProbeLate] != 3 || values[results.ProbeDropped] != 5 {
		t.Errorf("got %v", values)
	}
}
