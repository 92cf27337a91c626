package main

import (
	"fmt"
	"io"
	"virtscope/analysis/timeline"
	"virtscope/results"

	"github.com/spf13/cobra"
)

func newShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show RUN [TRIAL]",
		Short: "print a run's table, or one trial's timeline",
		Example: `  virtscope show latest
  virtscope show latest 3          # by place in the order
  virtscope show runs/quickstart-… 003-rate-4MiBps-r2`,
		Args: needArgs(1, "name a run folder, or latest"),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := openRun(c, args[0])
			if err != nil {
				return specError(err)
			}
			if len(args) > 1 {
				return showTrial(c.OutOrStdout(), r, args[1])
			}
			run, err := analyzeRun(c.Context(), r, withoutSeries(r), nil)
			if err != nil {
				return err
			}
			addPaper(&run, r)
			return writeTable(c.OutOrStdout(), r, run)
		},
	}
}

func showTrial(w io.Writer, r *results.Run, name string) error {
	for _, t := range r.Plan {
		if t.ID != name && fmt.Sprint(t.Order) != name {
			continue
		}
		o, ok, err := r.Outcome(t.ID)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("trial %s of %s has not ended: wait if the run is still under way, else go on with virtscope run --resume %s", t.ID, r.Dir, r.Dir)
		}
		tl, err := buildTimeline(r, o, trialSpecs(r)[t.ID])
		if err != nil {
			return err
		}
		if err := timeline.Write(w, tl); err != nil {
			return err
		}
		return writeNoise(w, r, tl)
	}
	return specError(fmt.Errorf("run %s has no trial %q: virtscope show %s lists them", r.Dir, name, r.Dir))
}
