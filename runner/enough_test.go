package runner

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"
	"virtscope/experiments/plan"
	"virtscope/results"
)

// after says that a treatment's trials are not needed once so many of it have ended.
type after struct {
	n     int
	asked []string
}

func (a *after) Without(_ context.Context, r *results.Run, t plan.Trial) string {
	a.asked = append(a.asked, t.ID)
	ended := 0
	for _, p := range r.Plan {
		if _, ok, _ := r.Outcome(p.ID); ok && p.Treatment == t.Treatment {
			ended++
		}
	}
	if ended >= a.n {
		return fmt.Sprintf("%d are enough", a.n)
	}
	return ""
}

func TestTrialsThatAreNotNeededAreLeftOut(t *testing.T) {
	p := testPlan(4)
	r, progress, enough := testRun(t, p), &quiet{}, &after{n: 2}
	x := Runner{Lab: &fakeLab{scripts: []script{{}}}, Progress: progress, Enough: enough}
	ended, err := x.Run(t.Context(), r, p)
	if err != nil || len(ended) != 2 {
		t.Fatalf("%d trials, %v", len(ended), err)
	}
	if want := []string{"c: 2 are enough", "d: 2 are enough"}; !slices.Equal(progress.skipped, want) {
		t.Errorf("told %v", progress.skipped)
	}
	leftOut, err := r.LeftOut()
	if err != nil || len(leftOut) != 2 || leftOut["d"] != "2 are enough" {
		t.Errorf("journal: %v, %v", leftOut, err)
	}
	if todo, err := Remaining(r, p); err != nil || len(todo) != 0 {
		t.Errorf("%d trials remain, %v", len(todo), err)
	}
	// To go on runs nothing, and asks for nothing.
	enough.asked = nil
	if again, err := x.Run(t.Context(), r, p); err != nil || len(again) != 0 || len(enough.asked) != 0 {
		t.Errorf("went on with %v, asked for %v, %v", again, enough.asked, err)
	}
}

// A user's stop while the rule is asked leaves nothing out.
func TestInterruptWhileAsked(t *testing.T) {
	p := testPlan(2)
	r := testRun(t, p)
	ctx, cancel := context.WithCancel(t.Context())
	x := Runner{Lab: &fakeLab{scripts: []script{{}}}, Progress: &quiet{}, Enough: stopper{cancel}}
	ended, err := x.Run(ctx, r, p)
	if err == nil || len(ended) != 0 {
		t.Errorf("%v, %v", ended, err)
	}
	if leftOut, _ := r.LeftOut(); len(leftOut) != 0 {
		t.Errorf("left out %v", leftOut)
	}
}

type stopper struct{ stop func() }

func (s stopper) Without(context.Context, *results.Run, plan.Trial) string {
	s.stop()
	return "the reading was cut off"
}

func TestForecastWithoutATreatment(t *testing.T) {
	trial := func(treatment string) plan.Trial {
		return plan.Trial{Trial: results.Trial{Treatment: treatment}, Estimate: time.Second}
	}
	f := newForecast([]plan.Trial{trial("a"), trial("b"), trial("a"), trial("b")})
	f.without("a")
	if got := f.from(1); got != 2*time.Second {
		t.Errorf("%v are left", got)
	}
}
