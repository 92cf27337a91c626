package runner

import (
	"context"
	"errors"
	"fmt"
	"time"
	"virtscope/experiments/plan"
	"virtscope/results"
)

// ErrInterrupted says that the user stopped the run; the trials that ended are kept.
var ErrInterrupted = errors.New("interrupted")

// A Runner runs a plan into a run folder.
type Runner struct {
	Lab      Lab
	Progress Progress
	Note     string // for the journal, such as what has changed since the run began; may be empty
	Enough   Enough // nil: every trial is needed
	// Noisy makes trials invalid of which the machine took too much; nil: none.
	Noisy NoiseJudge
}

// Enough is asked before each trial, when those before it have ended: it says why the trial is not needed, "" if it is.
type Enough func(ctx context.Context, t results.Trial) (why string, err error)

// Run runs the trials of p that r does not hold as completed or failed yet, in order, one at a time. It returns
// what it ran, the last attempt of each trial. A trial's own end is never an error here; an error is a store that
// cannot be written, or ErrInterrupted once ctx was done and the trial in progress was torn down.
func (x Runner) Run(ctx context.Context, r *results.Run, p *plan.Plan) (ended []results.Outcome, err error) {
	todo, err := Remaining(r, p)
	if err != nil {
		return nil, err
	}
	journal, err := r.Journal()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, journal.Close()) }()
	if err := journal.Append(results.Entry{Event: results.RunBegin, Reason: x.Note}); err != nil {
		return nil, err
	}
	left := newForecast(todo)
	for i, t := range todo {
		if ctx.Err() != nil {
			return ended, interrupted(journal)
		}
		skipped, err := x.skip(ctx, journal, t)
		if err != nil {
			return ended, err
		}
		if skipped {
			left.took(i, 0)
			continue
		}
		begin := time.Now()
		o, err := x.trial(ctx, r, journal, t, len(p.Trials), left.from(i))
		if err != nil {
			return ended, err
		}
		ended = append(ended, o)
		if o.Verdict == results.Interrupted {
			return ended, interrupted(journal)
		}
		left.took(i, time.Since(begin))
	}
	return ended, journal.Append(results.Entry{Event: results.RunEnd})
}

// skip leaves out a trial that is not needed, and says so in the journal.
func (x Runner) skip(ctx context.Context, j *results.Journal, t plan.Trial) (bool, error) {
	if x.Enough == nil {
		return false, nil
	}
	why, err := x.Enough(ctx, t.Trial)
	if err != nil || why == "" {
		return false, err
	}
	return true, j.Append(results.Entry{Event: results.TrialSkip, Trial: t.ID, Reason: why})
}

func interrupted(j *results.Journal) error {
	return errors.Join(ErrInterrupted, j.Append(results.Entry{Event: results.RunEnd, Reason: ErrInterrupted.Error()}))
}

// Remaining are the trials of p that r does not hold as completed or failed.
func Remaining(r *results.Run, p *plan.Plan) ([]plan.Trial, error) {
	var todo []plan.Trial
	for _, t := range p.Trials {
		o, ok, err := r.Outcome(t.ID)
		if err != nil {
			return nil, fmt.Errorf("resume run: %w", err)
		}
		if !ok || !o.Verdict.Final() {
			todo = append(todo, t)
		}
	}
	return todo, nil
}

// trial makes attempts at a trial until one is not invalid, or the retries are used up.
func (x Runner) trial(ctx context.Context, r *results.Run, j *results.Journal, t plan.Trial, all int, left time.Duration) (results.Outcome, error) {
	for try := 0; ; try++ {
		o, err := x.attempt(ctx, r, j, t, all, left)
		if err != nil {
			return o, err
		}
		if o.Verdict != results.Invalid || try >= *t.Spec.Retries {
			return o, nil
		}
	}
}

// attempt makes one attempt, journalled at both ends.
func (x Runner) attempt(ctx context.Context, r *results.Run, j *results.Journal, t plan.Trial, all int, left time.Duration) (results.Outcome, error) {
	a, number, err := r.Begin(t.Trial)
	if err != nil {
		return results.Outcome{}, err
	}
	x.Progress.Trial(t, number, all, left)
	if err := j.Append(results.Entry{Event: results.TrialBegin, Trial: t.ID, Attempt: number}); err != nil {
		return results.Outcome{}, errors.Join(err, a.Finish(&results.Outcome{Trial: t.Trial, Attempt: number, Verdict: results.Invalid, Reason: err.Error()}))
	}
	o := newExecution(ctx, x, t, a).run()
	o.Attempt = number
	if err := a.Finish(&o); err != nil {
		return o, fmt.Errorf("%w: free some space, then go on with virtscope run --resume %s", err, r.Dir)
	}
	x.Progress.Done(o)
	return o, j.Append(results.Entry{Event: results.TrialDone, Trial: t.ID, Attempt: number, Verdict: o.Verdict, Reason: o.Reason})
}
