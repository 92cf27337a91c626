package runner

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
)

func TestVerdicts(t *testing.T) {
	outcome := &guest.OutcomeError{Reason: "did not converge"}
	cases := []struct {
		name     string
		scripts  []script
		verdict  results.Verdict
		attempts int
		reason   string
	}{
		{"all well", []script{{}}, results.Completed, 1, ""},
		{"subject fails", []script{{migrate: outcome}}, results.Failed, 1, "did not converge"},
		{"memory corrupt", []script{{corrupt: 3}}, results.Failed, 1, "memory corrupted: 3 pages"},
		{"disk corrupt", []script{{diskCorrupt: 2}}, results.Failed, 1, "disk corrupted: 2 pages: as found"},
		{"both corrupt", []script{{corrupt: 1, diskCorrupt: 2}}, results.Failed, 1, "memory corrupted: 1 pages, first 0; disk corrupted: 2 pages: as found"},
		{"guest dies", []script{{dies: true}}, results.Failed, 1, "ended by itself"},
		{"testbed down, then up", []script{{up: errOurs}, {}}, results.Completed, 2, ""},
		{"boot fails twice", []script{{boot: errOurs}}, results.Invalid, 2, "our fault"},
		{"prepare fails", []script{{prepare: errOurs}, {}}, results.Completed, 2, ""},
		{"migration fails for our fault", []script{{migrate: errOurs}, {}}, results.Completed, 2, ""},
		{"capture drops", []script{{drops: 7}}, results.Invalid, 2, "dropped 7 frames"},
		{"guest stalls before the action", []script{{mute: true}, {}}, results.Completed, 2, ""},
		{"probe fails", []script{{probe: errOurs, hang: true}}, results.Invalid, 2, "our fault"},
		{"tear-down fails", []script{{down: errOurs}, {}}, results.Completed, 2, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := testPlan(1)
			r, lab, progress := testRun(t, p), &fakeLab{scripts: c.scripts}, &quiet{}
			ended, err := Runner{Lab: lab, Progress: progress}.Run(t.Context(), r, p)
			if err != nil {
				t.Fatal(err)
			}
			o := ended[0]
			if o.Verdict != c.verdict || o.Attempt != c.attempts || !strings.Contains(o.Reason, c.reason) {
				t.Errorf("%s after %d attempts: %q; want %s after %d: %q", o.Verdict, o.Attempt, o.Reason, c.verdict, c.attempts, c.reason)
			}
			if n := lab.open.Load(); n != 0 {
				t.Errorf("%d things were not given back", n)
			}
			stored, ok, err := r.Outcome(o.Trial.ID)
			if err != nil || !ok || stored.Verdict != o.Verdict {
				t.Errorf("stored %+v, %v, %v", stored, ok, err)
			}
		})
	}
}

func TestStatesInOrder(t *testing.T) {
	p := testPlan(1)
	r, progress := testRun(t, p), &quiet{}
	if _, err := (Runner{Lab: &fakeLab{scripts: []script{{}}}, Progress: progress}).Run(t.Context(), r, p); err != nil {
		t.Fatal(err)
	}
	want := []string{
		results.StatePrepare, results.StateBoot, results.StateWarmUp, results.StateBaseline,
		results.StateAction, results.StateQuiesce, results.StateCollect, results.StateTearDown,
	}
	if !slices.Equal(progress.states, want) {
		t.Errorf("got %v", progress.states)
	}
	records, err := r.Records(p.Trials[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	var recorded []string
	for _, rec := range records {
		switch rec.Name {
		case results.TrialState:
			recorded = append(recorded, rec.Attrs["state"])
		case results.TrialEnd, results.ActionBegin, results.ActionEnd:
			recorded = append(recorded, rec.Name)
		}
	}
	i := slices.Index(want, results.StateQuiesce)
	want = append(slices.Insert(want, i, results.ActionBegin, results.ActionEnd), results.TrialEnd)
	if !slices.Equal(recorded, want) {
		t.Errorf("recorded %v", recorded)
	}
}

func TestInterruptThenResume(t *testing.T) {
	p := testPlan(3)
	r := testRun(t, p)
	ctx, cancel := context.WithCancel(t.Context())
	lab := &fakeLab{scripts: []script{{}, {hang: true, onAction: cancel}}}
	ended, err := Runner{Lab: lab, Progress: &quiet{}}.Run(ctx, r, p)
	if !errors.Is(err, ErrInterrupted) || len(ended) != 2 || ended[1].Verdict != results.Interrupted {
		t.Fatalf("%+v, %v", ended, err)
	}
	if n := lab.open.Load(); n != 0 {
		t.Errorf("%d things were not given back", n)
	}
	first, _ := os.ReadFile(filepath.Join(r.TrialDir("a"), "trial.json"))

	again, err := Runner{Lab: &fakeLab{scripts: []script{{}}}, Progress: &quiet{}}.Run(t.Context(), r, p)
	if err != nil || len(again) != 2 || again[0].Trial.ID != "b" || again[0].Attempt != 2 {
		t.Fatalf("%+v, %v", again, err)
	}
	if kept, _ := os.ReadFile(filepath.Join(r.TrialDir("a"), "trial.json")); string(kept) != string(first) {
		t.Error("a finished trial was touched")
	}
	if _, err := os.Stat(r.TrialDir("b") + ".attempt-1"); err != nil {
		t.Error("the interrupted attempt is gone: ", err)
	}
}

// A signal during tear-down stops the run, and does not undo the trial that has ended.
func TestLateSignal(t *testing.T) {
	for want, s := range map[results.Verdict]script{results.Completed: {}, results.Failed: {corrupt: 1}} {
		ctx, cancel := context.WithCancel(t.Context())
		s.onDown = cancel
		p := testPlan(2)
		ended, err := Runner{Lab: &fakeLab{scripts: []script{s}}, Progress: &quiet{}}.Run(ctx, testRun(t, p), p)
		if !errors.Is(err, ErrInterrupted) || len(ended) != 1 || ended[0].Verdict != want {
			t.Errorf("want one %s: got %+v, %v", want, ended, err)
		}
	}
}

func TestTrialTimeout(t *testing.T) {
	p := testPlan(1)
	p.Trials[0].Spec.Timeout /= 40
	*p.Trials[0].Spec.Retries = 0
	lab := &fakeLab{scripts: []script{{hang: true}}}
	ended, err := Runner{Lab: lab, Progress: &quiet{}}.Run(t.Context(), testRun(t, p), p)
	if err != nil || ended[0].Verdict != results.Invalid || !strings.Contains(ended[0].Reason, "in state action") {
		t.Errorf("%+v, %v", ended, err)
	}
	if n := lab.open.Load(); n != 0 {
		t.Errorf("%d things were not given back", n)
	}
}

func TestStoreThatCannotBeWrittenStopsTheRun(t *testing.T) {
	p := testPlan(2)
	r := testRun(t, p)
	spoil := func() { _ = os.RemoveAll(r.TrialDir("a")) } // the folder is gone when the outcome is written
	_, err := Runner{Lab: &fakeLab{scripts: []script{{onAction: spoil}}}, Progress: &quiet{}}.Run(t.Context(), r, p)
	if err == nil || !strings.Contains(err.Error(), "--resume") {
		t.Errorf("got %v", err)
	}
}

func TestForecastLearns(t *testing.T) {
	p := testPlan(4)
	f := newForecast(p.Trials)
	if got := f.from(0); got != 4*time.Second {
		t.Errorf("got %s", got)
	}
	f.took(0, 3*time.Second)
	if got := f.from(1); got != 9*time.Second {
		t.Errorf("got %s", got)
	}
}
