package main

import (
	"fmt"
	"time"
	"virtscope/experiments/spec"
	"virtscope/results"

	"github.com/spf13/cobra"
)

func newTraceCommand() *cobra.Command {
	var step time.Duration
	c := &cobra.Command{
		Use:   "trace RUN TRIAL",
		Short: "print a trial's dirty rate as the text that workload.trace replays",
		Long: `trace prints at which rate the workload of a recorded trial wrote memory, from its first report to its last, as the text that an
experiment's workload.trace takes:

  workload:
    kind: replay
    trace: >-
      0s 4MiB/s, 1s 16MiB/s, 2s`,
		Args: twoArgs("name a run folder, or latest, and one of its trials"),
		RunE: func(c *cobra.Command, args []string) error {
			if step < minStep || step > maxStep {
				return specError(fmt.Errorf("want a --step from %s to %s, got %s", minStep, maxStep, step))
			}
			r, err := openRun(c, args[0])
			if err != nil {
				return specError(err)
			}
			records, err := trialRecords(r, args[1])
			if err != nil {
				return err
			}
			points, err := dirtyTrace(records, step)
			if err != nil {
				return fmt.Errorf("trace trial %s of %s: %w", args[1], r.Dir, err)
			}
			fmt.Fprintln(c.OutOrStdout(), spec.FormatTrace(points))
			return nil
		},
	}
	c.Flags().DurationVar(&step, "step", time.Second, "length of a step; the guest reports each 100ms")
	return c
}

// The guest reports each tenth of a second: shorter steps would be made up.
const (
	minStep = 100 * time.Millisecond
	maxStep = time.Minute
)

// twoArgs is cobra.ExactArgs(2) with a remedy.
func twoArgs(remedy string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != 2 {
			return specError(fmt.Errorf("%s: %s", c.CommandPath(), remedy))
		}
		return nil
	}
}

// trialRecords are those of a trial by its ID or its place in the order.
func trialRecords(r *results.Run, name string) ([]results.Record, error) {
	for _, t := range r.Plan {
		if t.ID == name || fmt.Sprint(t.Order) == name {
			return r.Records(t.ID)
		}
	}
	return nil, specError(fmt.Errorf("run %s has no trial %q: virtscope show %s lists them", r.Dir, name, r.Dir))
}
