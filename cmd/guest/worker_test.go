package main

import (
	"strings"
	"testing"
	"time"
	"virtscope/testbed/guest/agent"
)

func TestWorker(t *testing.T) {
	said := make(chan agent.JobDone, 4)
	w := worker{say: func(d agent.JobDone) { said <- d }, begin: func() {}}
	hear := func() agent.JobDone {
		t.Helper()
		select {
		case d := <-said:
			return d
		case <-time.After(time.Minute):
			t.Fatal("no job was done")
			return agent.JobDone{}
		}
	}
	release := make(chan struct{})
	w.begin = func() { <-release }
	if err := w.take(&agent.Job{ID: 1, Work: 1e6, Memory: 3 * pageSize}); err != nil {
		t.Fatal(err)
	}
	if err := w.take(&agent.Job{ID: 2}); err == nil || !strings.Contains(err.Error(), "job 1 runs") {
		t.Errorf("a second job at a time: %v", err)
	}
	if err := w.take(&agent.Job{ID: 1}); err != nil {
		t.Errorf("the same job is asked for: %v", err)
	}
	close(release)
	first := hear()
	if first.ID != 1 || first.Worked < 1e6 || first.Bad != 0 {
		t.Errorf("done: %+v", first)
	}
	if err := w.take(&agent.Job{ID: 1, Work: 1e6}); err != nil {
		t.Fatal(err)
	}
	if again := hear(); again != first {
		t.Errorf("done again: %+v, want what was said: %+v", again, first)
	}
	if err := w.take(&agent.Job{ID: 2}); err != nil {
		t.Fatal(err)
	}
	if d := hear(); d.ID != 2 {
		t.Errorf("done: %+v", d)
	}
	for want, j := range map[string]*agent.Job{"has none": nil, "at least 0": {ID: 3, Work: -1}, "available": {ID: 3, Memory: 1 << 50}} {
		if err := w.take(j); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("take(%+v) = %v, want an error with %q", j, err, want)
		}
	}
	if len(said) > 0 {
		t.Error("something was said twice")
	}
}
