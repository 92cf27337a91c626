package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"virtscope/experiments/plan"
	"virtscope/experiments/spec"
	"virtscope/results"
	"virtscope/runner"

	"github.com/spf13/cobra"
)

func newRunCommand() *cobra.Command {
	var resume bool
	c := &cobra.Command{
		Use:   "run EXPERIMENT | run --resume RUN",
		Short: "run an experiment; go on with a run that was stopped",
		Example: `  virtscope run quickstart
  virtscope run experiments/quickstart.yaml
  virtscope run --resume latest`,
		Args: needArgs(1, "name an experiment file, or one of the catalogue such as quickstart"),
		RunE: func(c *cobra.Command, args []string) error {
			if resume {
				return resumeRun(c, args[0])
			}
			return startRun(c, args[0])
		},
	}
	c.Flags().BoolVar(&resume, "resume", false, "the argument is a run folder: run what it lacks")
	return c
}

func startRun(c *cobra.Command, name string) (err error) {
	p, err := loadPlan(name)
	if err != nil {
		return err
	}
	lab, err := newLab(c.Context(), p, newRunID(p.Experiment.Name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lab.Close()) }()
	if err := needSpace(runsDir(c), p); err != nil {
		return err
	}
	r, err := createRun(c.Context(), runsDir(c), lab, p)
	if err != nil {
		return err
	}
	return execute(c, lab, r, p)
}

func resumeRun(c *cobra.Command, name string) (err error) {
	r, err := openRun(c, name)
	if err != nil {
		return specError(err)
	}
	loaded, err := spec.Load(r.ExperimentPath())
	if err != nil {
		return specError(err)
	}
	p, err := plan.Make(loaded)
	if err != nil {
		return specError(err)
	}
	if err := samePlan(r.Plan, p); err != nil {
		return specError(fmt.Errorf("resume %s: %w", r.Dir, err))
	}
	lab, err := newLab(c.Context(), p, runID{name: r.Manifest.Run, short: r.Manifest.Short})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lab.Close()) }()
	if err := needSpace(r.Dir, p); err != nil {
		return err
	}
	return execute(c, lab, r, p)
}

// samePlan guards against a virtscope that would plan the experiment differently.
func samePlan(have []results.Trial, p *plan.Plan) error {
	if len(have) != len(p.Trials) {
		return fmt.Errorf("its plan has %d trials, this virtscope plans %d: use the version that made it", len(have), len(p.Trials))
	}
	for i, t := range p.Trials {
		if have[i].ID != t.ID {
			return fmt.Errorf("its trial %d is %s, this virtscope plans %s: use the version that made it", i+1, have[i].ID, t.ID)
		}
	}
	return nil
}

// execute runs what is left of the plan, then reports. What ended is reported even when the run was cut off.
func execute(c *cobra.Command, lab *lab, r *results.Run, p *plan.Plan) error {
	fmt.Fprintf(os.Stderr, "%s: %d trials, about %s; %s; run folder %s\n",
		p.Experiment.Name, len(p.Trials), round(p.Estimate()), lab.describe(), r.Dir)
	progress := newStatus(os.Stderr)
	_, err := runner.Runner{Lab: lab, Progress: progress}.Run(c.Context(), r, p)
	progress.close()
	if err != nil && !errors.Is(err, runner.ErrInterrupted) {
		return err
	}
	// The user's signal has done its work: the report of what ended is made all the same.
	reportErr := writeReport(context.WithoutCancel(c.Context()), c.OutOrStdout(), r)
	if err != nil {
		err = &codedError{exitInterrupted, fmt.Errorf("%w: go on with virtscope run --resume %s", err, r.Dir)}
	}
	return errors.Join(err, reportErr)
}
