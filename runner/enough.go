package runner

import (
	"context"
	"virtscope/experiments/plan"
	"virtscope/results"
)

// Enough decides, while a run goes on, which trials are not needed any more. It is asked before each trial that has not ended.
type Enough interface {
	// Without says why the run r can do without t, from the trials that ended; "" if it cannot, or if it is not known.
	Without(ctx context.Context, r *results.Run, t plan.Trial) (why string)
}

// needless is why t need not run; "" if it has to.
func (x Runner) needless(ctx context.Context, r *results.Run, t plan.Trial) string {
	if x.Enough == nil {
		return ""
	}
	return x.Enough.Without(ctx, r, t)
}

// skip journals that t, of all, is not run.
func (x Runner) skip(j *results.Journal, t plan.Trial, all int, why string) error {
	x.Progress.Skip(t, all, why)
	return j.Append(results.Entry{Event: results.TrialSkip, Trial: t.ID, Reason: why})
}
