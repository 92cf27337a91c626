package results

import (
	"slices"
	"testing"
	"time"
)

// Attempts stand as they began, whatever the clock was set to meanwhile.
func TestAttemptsInTheOrderOfTheJournal(t *testing.T) {
	plan := []Trial{{ID: "a", Order: 1}, {ID: "b", Order: 2}, {ID: "c", Order: 3}}
	r, err := Create(t.TempDir(), Manifest{Format: ManifestFormat, Run: "r"}, nil, plan)
	if err != nil {
		t.Fatal(err)
	}
	j, err := r.Journal()
	if err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for _, step := range []struct {
		trial Trial
		at    time.Time
	}{{plan[2], noon}, {plan[0], noon.Add(-time.Minute)}, {plan[1], time.Time{}}, {plan[0], noon.Add(-time.Hour)}} {
		a, n, err := r.Begin(step.trial)
		if err != nil {
			t.Fatal(err)
		}
		if !step.at.IsZero() { // the journal lost it
			if err := j.Append(Entry{Time: step.at, Event: TrialBegin, Trial: step.trial.ID, Attempt: n}); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Finish(&Outcome{Trial: step.trial, Attempt: n}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	all, err := r.Attempts()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range all {
		got = append(got, a.Trial.ID)
	}
	if want := []string{"c", "a", "a", "b"}; !slices.Equal(got, want) || all[1].Number != 1 || all[2].Number != 2 {
		t.Errorf("%v, want %v: %+v", got, want, all)
	}
}
