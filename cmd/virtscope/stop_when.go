package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"virtscope/analysis/dataset"
	"virtscope/analysis/report"
	"virtscope/analysis/sequential"
	"virtscope/experiments/plan"
	"virtscope/experiments/spec"
	"virtscope/results"
	"virtscope/runner"
)

var _ runner.Enough = (*stopRule)(nil)

// stopRule asks the analysis of the trials that ended whether more are needed. Builds of one treatment, which are compared with each other,
// go on until all of them have enough.
type stopRule struct {
	rule   sequential.Rule
	specs  map[string]*spec.Experiment // by trial
	builds bool
	known  map[string]dataset.Trial // analysed before, by trial and attempt
}

// enoughOf is nil where the experiment has no rule to stop.
func enoughOf(p *plan.Plan) runner.Enough {
	e := p.Experiment
	if e.StopWhen == nil {
		return nil
	}
	out := &stopRule{rule: ruleOf(e), specs: map[string]*spec.Experiment{}, builds: len(e.Builds) > 0, known: map[string]dataset.Trial{}}
	for _, t := range p.Trials {
		out.specs[t.ID] = t.Spec
	}
	return out
}

func ruleOf(e *spec.Experiment) sequential.Rule {
	s := e.StopWhen
	return sequential.NewRule(s.Metric, s.Interval.Share(), s.Confidence.Share(), s.AtLeast, e.Replicates)
}

// Without implements runner.Enough.
func (x *stopRule) Without(ctx context.Context, r *results.Run, t plan.Trial) string {
	groups := map[string][]results.Trial{} // by treatment: those that go on together
	for _, p := range r.Plan {
		if p.Treatment == t.Treatment || x.builds && sameButBuild(p, t.Trial) {
			groups[p.Treatment] = append(groups[p.Treatment], p)
		}
	}
	why := ""
	for _, treatment := range slices.Sorted(maps.Keys(groups)) {
		if ctx.Err() != nil {
			return ""
		}
		ended, begun := x.ended(r, groups[treatment], t.Replicate)
		if begun && treatment != t.Treatment {
			return "" // a replicate of all builds is run whole
		}
		state, err := x.rule.State(dataset.Treatment{Name: treatment, Trials: ended})
		if err != nil || !state.Enough {
			return ""
		}
		if why != "" {
			why += "; "
		}
		if len(groups) > 1 {
			why += treatment + ": "
		}
		why += fmt.Sprintf("after %d trials the %g %% interval of the median %s reaches %.2g %%", state.N, 100*x.rule.Confidence, x.rule.Metric, 100*state.Reach)
	}
	return why
}

// ended are the trials of a treatment that ended; begun says that the replicate is one of them.
func (x *stopRule) ended(r *results.Run, planned []results.Trial, replicate int) (list []dataset.Trial, begun bool) {
	for _, p := range planned {
		o, ok, err := r.Outcome(p.ID)
		if err != nil || !ok || !o.Verdict.Final() {
			continue
		}
		begun = begun || p.Replicate == replicate
		key := fmt.Sprintf("%s %d", p.ID, o.Attempt)
		t, ok := x.known[key]
		if !ok {
			analysed, _ := analyzeTrial(r, p, x.specs[p.ID])
			t = report.Run{Manifest: r.Manifest, Trials: []report.Trial{analysed}}.Dataset(r.Manifest.Run).Trials[0]
			x.known[key] = t
		}
		list = append(list, t)
	}
	return list, begun
}

func sameButBuild(a, b results.Trial) bool {
	other := func(l results.Level) bool { return l.Factor == spec.BuildFactor }
	return slices.Equal(slices.DeleteFunc(slices.Clone(a.Levels), other), slices.DeleteFunc(slices.Clone(b.Levels), other))
}

// addStopping fills in where the treatments of a run stopped, if its experiment has a rule.
func addStopping(run *report.Run, r *results.Run) error {
	leftOut, err := r.LeftOut()
	if err != nil {
		return err
	}
	run.LeftOut = leftOut
	e, err := spec.Load(r.ExperimentPath())
	if err != nil || e.StopWhen == nil {
		return nil //nolint:nilerr // what this virtscope cannot read has no rule that it knows; the report shows the text
	}
	result, err := sequential.Of(run.Dataset(r.Manifest.Run), ruleOf(e), leftOut, r.Plan)
	if err != nil {
		return err
	}
	run.Stopping = &result
	return nil
}

// atMost is before the number of a plan's trials, of which a rule to stop may leave some out.
func atMost(p *plan.Plan) string {
	if p.Experiment.StopWhen == nil {
		return ""
	}
	return "at most "
}
