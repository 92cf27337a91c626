package runner

import (
	"context"
	"errors"
	"slices"
	"testing"
	"virtscope/results"
)

// What is known well enough is asked before each trial; a trial that is not needed is journalled with the reason, and is not run, on resume neither.
func TestEnough(t *testing.T) {
	p := testPlan(4)
	r := testRun(t, p)
	var asked []string
	enough := func(_ context.Context, trial results.Trial) (string, error) {
		asked = append(asked, trial.ID)
		if trial.Order == 3 {
			return "it is known", nil
		}
		return "", nil
	}
	for range 2 {
		if _, err := (Runner{Lab: &fakeLab{scripts: []script{{}}}, Progress: &quiet{}, Enough: enough}).Run(t.Context(), r, p); err != nil {
			t.Fatal(err)
		}
	}
	third := p.Trials[2].ID
	want := []string{p.Trials[0].ID, p.Trials[1].ID, third, p.Trials[3].ID, third}
	if !slices.Equal(asked, want) {
		t.Errorf("asked of %v, want %v", asked, want)
	}
	skipped, err := r.Skipped()
	if err != nil || len(skipped) != 1 || skipped[third] != "it is known" {
		t.Errorf("skipped %v, %v", skipped, err)
	}
	if _, ended, _ := r.Outcome(third); ended {
		t.Error("it was run")
	}
	// Needed after all: it is run, and no longer among those that were left out.
	if _, err := (Runner{Lab: &fakeLab{scripts: []script{{}}}, Progress: &quiet{}}).Run(t.Context(), r, p); err != nil {
		t.Fatal(err)
	}
	if skipped, _ := r.Skipped(); len(skipped) != 0 {
		t.Errorf("skipped %v", skipped)
	}
	failing := func(context.Context, results.Trial) (string, error) { return "", errors.New("cannot tell") }
	other := testPlan(1)
	if _, err := (Runner{Lab: &fakeLab{}, Progress: &quiet{}, Enough: failing}).Run(t.Context(), testRun(t, other), other); err == nil {
		t.Error("an error was lost")
	}
}
