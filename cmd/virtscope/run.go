package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"virtscope/experiments/plan"
	"virtscope/results"
	"virtscope/results/influx"
	"virtscope/runner"
	"virtscope/testbed/host"

	"github.com/spf13/cobra"
)

// runOptions are what the command line says beside the experiment.
type runOptions struct {
	strict  bool
	more    moreOptions
	live    liveOptions
	target  *influx.Target // records are shipped there meanwhile; nil is nowhere
	release func()         // of signals, when nothing is left to tear down
}

func newRunCommand(release func()) *cobra.Command {
	var resume bool
	options := runOptions{release: release}
	c := &cobra.Command{
		Use:   "run EXPERIMENT | run --resume RUN | run --more-of RUN",
		Short: "run an experiment; go on with a run that was stopped; run more trials of what a run left open",
		Example: `  virtscope run quickstart
  virtscope run experiments/quickstart.yaml
  virtscope run --resume latest
  virtscope run --more-of latest --only rate=8MiB/s     # as many replicates again, in a run of their own`,
		Args: noURL("give the server as --influx=URL, with = before it", oneArg("name one experiment file, or one of the catalogue such as quickstart")),
		RunE: func(c *cobra.Command, args []string) error {
			if resume && c.Flags().Changed("scale") {
				return specError(errors.New("run --resume: a run goes on at the scale that it began with: leave out --scale"))
			}
			if err := options.more.check(c, resume); err != nil {
				return specError(err)
			}
			if resume {
				return resumeRun(c, args[0], options)
			}
			return startRun(c, args[0], options)
		},
	}
	c.Flags().BoolVar(&resume, "resume", false, "the argument is a run folder: run what it lacks")
	options.more.add(c)
	addScaleFlag(c)
	options.live.add(c)
	c.Flags().BoolVar(&options.strict, "strict", false, "exit 1 unless every trial is completed; else only invalid trials count")
	return c
}

func startRun(c *cobra.Command, name string, options runOptions) (err error) {
	p, err := planToRun(c, name, options.more)
	if err != nil {
		return err
	}
	if err := options.checkInflux(c.Context(), p); err != nil {
		return err
	}
	lab, err := newLab(c.Context(), p, newRunID(p.Experiment.Name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lab.Close()) }()
	if err := needSpace(runsDir(c), p.Trials, lab.imageSize); err != nil {
		return err
	}
	r, err := createRun(c.Context(), runsDir(c), lab, p)
	if err != nil {
		return err
	}
	finished, err := r.Claim()
	if err != nil {
		return err
	}
	defer finished()
	return execute(c, lab, r, p, "", options)
}

func resumeRun(c *cobra.Command, name string, options runOptions) (err error) {
	r, err := openRun(c, name)
	if err != nil {
		return specError(err)
	}
	finished, err := r.Claim()
	if err != nil {
		return err
	}
	defer finished()
	p, err := resumePlan(r)
	if err != nil {
		return specError(fmt.Errorf("resume %s: %w", r.Dir, err))
	}
	if err := options.checkInflux(c.Context(), p); err != nil {
		return err
	}
	lab, err := newLab(c.Context(), p, runID{name: r.Manifest.Run, short: r.Manifest.Short})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lab.Close()) }()
	todo, err := runner.Remaining(r, p)
	if err != nil {
		return err
	}
	if err := needSpace(r.Dir, todo, lab.imageSize); err != nil {
		return err
	}
	note := changes(r.Manifest, append(host.Facts(c.Context()), lab.facts...))
	if note != "" {
		fmt.Fprintln(os.Stderr, "warning: since this run began,", note)
	}
	return execute(c, lab, r, p, note, options)
}

// resumePlan plans a run's own experiment again, and guards against one that was edited since.
func resumePlan(r *results.Run) (*plan.Plan, error) {
	if err := unchanged(r); err != nil {
		return nil, err
	}
	p, err := planOf(r)
	if err != nil {
		return nil, err
	}
	return p, samePlan(r.Plan, p)
}

// unchanged guards against an experiment that was edited since its run began.
func unchanged(r *results.Run) error {
	text, err := r.Experiment()
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != r.Manifest.SpecHash {
		return fmt.Errorf("%s was changed since the run began: put it back, or start a run of its own", r.ExperimentPath())
	}
	return nil
}

// changes says what is not as it was when the run began: trials before and after may not be comparable.
func changes(m results.Manifest, now []results.Fact) string {
	was := map[results.Fact]bool{}
	for _, f := range m.Facts {
		was[f] = true
	}
	var list []string
	if m.Tool != tool() {
		list = append(list, fmt.Sprintf("virtscope is %s, was %s", tool().Version, m.Tool.Version))
	}
	for _, f := range now {
		if !was[f] {
			list = append(list, fmt.Sprintf("%s %s is %s", f.Subject, f.Name, f.Value))
		}
	}
	return strings.Join(list, "; ")
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
func execute(c *cobra.Command, lab *lab, r *results.Run, p *plan.Plan, note string, options runOptions) error {
	fmt.Fprintf(os.Stderr, "%s: %d trials, about %s; %s; run folder %s\n",
		p.Experiment.Name, len(p.Trials), round(p.Estimate()), lab.describe(), r.Dir)
	stop, err := newEnough(r)
	if err != nil {
		return err
	}
	progress := newStatus(os.Stderr)
	if options.target != nil {
		sink := startLive(c.Context(), r, *options.target, progress.say)
		progress.also(sink.line)
		defer sink.finish(c.Context(), os.Stderr, options.live.wait)
	}
	_, err = runner.Runner{Lab: lab, Progress: progress, Note: note, Enough: stop, Noisy: noisy}.Run(c.Context(), r, p)
	progress.close()
	options.release()
	fmt.Fprint(os.Stderr, lab.warmSpeedUp())
	if err != nil && !errors.Is(err, runner.ErrInterrupted) {
		return err
	}
	// The user's signal has done its work: the report of what ended is made all the same.
	reportErr := writeReport(context.WithoutCancel(c.Context()), c.OutOrStdout(), r)
	if err != nil {
		err = &codedError{exitInterrupted, fmt.Errorf("%w: go on with virtscope run --resume %s", err, r.Dir)}
	}
	return errors.Join(err, reportErr, judge(r, options.strict))
}

// judge is an error when a trial of the run came to nothing, or, if strict, when one is not completed.
func judge(r *results.Run, strict bool) error {
	var bad []string
	skipped, err := r.Skipped()
	if err != nil {
		return err
	}
	for _, t := range r.Plan {
		if _, ok := skipped[t.ID]; ok {
			continue
		}
		o, ended, err := r.Outcome(t.ID)
		switch {
		case err != nil:
			return err
		case !ended && strict:
			bad = append(bad, fmt.Sprintf("trial %d has not ended", t.Order))
		case ended && (o.Verdict == results.Invalid || strict && o.Verdict != results.Completed):
			bad = append(bad, fmt.Sprintf("trial %d is %s", t.Order, o.Verdict))
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return errors.New(strings.Join(bad, ", "))
}
