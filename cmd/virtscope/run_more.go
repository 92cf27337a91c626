package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"virtscope/experiments/plan"
	"virtscope/results"

	"github.com/spf13/cobra"
)

// moreOptions ask for more trials of treatments that another run has.
type moreOptions struct {
	of       bool // the argument is that run
	only     []string
	onlyFrom string
}

func (o *moreOptions) add(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&o.of, "more-of", false, "the argument is a run: run as many replicates again of its treatments, in a new run, to be compared together with it")
	f.StringArrayVar(&o.only, "only", nil, "with --more-of: this treatment, as virtscope plan names it; may be repeated")
	f.StringVar(&o.onlyFrom, "only-from", "", "with --more-of: the treatments that this file names, one a line, as virtscope compare --open writes it")
}

func (o *moreOptions) check(c *cobra.Command, resume bool) error {
	switch {
	case !o.of && (len(o.only) > 0 || o.onlyFrom != ""):
		return errors.New("run --only: name the run that has the treatments: run --more-of RUN --only TREATMENT")
	case o.of && resume:
		return errors.New("run --more-of: it makes a new run: leave out --resume; to go on with that one, run --resume it")
	case o.of && c.Flags().Changed("scale"):
		return errors.New("run --more-of: more trials are of the scale that the first have: leave out --scale")
	}
	return nil
}

// planToRun plans an experiment, or more trials of a run.
func planToRun(c *cobra.Command, name string, o moreOptions) (*plan.Plan, error) {
	if !o.of {
		return planAtScale(c, name)
	}
	r, err := openRun(c, name)
	if err != nil {
		return nil, specError(err)
	}
	only, err := o.treatments()
	if err != nil {
		return nil, specError(err)
	}
	more := results.MoreOf{Run: r.Manifest.Run, Look: 2, Only: only}
	if before := r.Manifest.MoreOf; before != nil {
		more.Run, more.Look = before.Run, before.Look+1
		if len(only) == 0 {
			more.Only = before.Only
		}
	}
	p, err := planMore(r, more)
	return p, specError(err)
}

// treatments are those that the options name; none is all.
func (o *moreOptions) treatments() ([]string, error) {
	list := o.only
	if o.onlyFrom == "" {
		return list, nil
	}
	text, err := os.ReadFile(o.onlyFrom)
	if err != nil {
		return nil, fmt.Errorf("run --only-from: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("run --only-from %s: it names no treatment: there is nothing to run", o.onlyFrom)
	}
	return list, nil
}

// planMore plans more trials of the experiment that r has, which is as it was when r began.
func planMore(r *results.Run, more results.MoreOf) (*plan.Plan, error) {
	if err := unchanged(r); err != nil {
		return nil, err
	}
	e, err := loadExperiment(r.ExperimentPath())
	if err != nil {
		return nil, err
	}
	if e.StopWhen != nil {
		return nil, fmt.Errorf("run --more-of %s: its experiment has stop-when: how many trials a look adds must not depend on them", r.Manifest.Run)
	}
	p, err := plan.More(e, more.Only, more.Look)
	if err != nil {
		return nil, err
	}
	p.MoreOf = &more
	return p, nil
}

// planOf plans again what a run was planned to be.
func planOf(r *results.Run) (*plan.Plan, error) {
	if r.Manifest.MoreOf == nil {
		return loadPlan(r.ExperimentPath())
	}
	p, err := planMore(r, *r.Manifest.MoreOf)
	return p, specError(err)
}
