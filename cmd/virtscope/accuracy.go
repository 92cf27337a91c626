package main

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"virtscope/analysis/accuracy"
	"virtscope/analysis/timeline"
	"virtscope/experiments/spec"
	"virtscope/results"

	"github.com/spf13/cobra"
)

func newAccuracyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "accuracy RUN",
		Short: "hold each view of the outage against a scripted guest's truth; exit 1 if one is off",
		Args:  oneArg("name one run of the accuracy experiment, or latest"),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := openRun(c, args[0])
			if err != nil {
				return specError(err)
			}
			limits, err := accuracyLimits(r)
			if err != nil {
				return err
			}
			trials, err := timelines(c.Context(), r)
			if err != nil {
				return err
			}
			rows := accuracy.Rows(trials)
			if err := accuracy.Write(c.OutOrStdout(), rows); err != nil {
				return err
			}
			for _, l := range limits {
				fmt.Fprintf(c.OutOrStdout(), "limit for outages of %s or more: %s within %s\n", accuracy.Least, l.View, l.Tolerance)
			}
			if misses := accuracy.Misses(rows, limits); len(misses) > 0 {
				return errors.New("accuracy: " + strings.Join(misses, "; "))
			}
			if len(rows) < len(r.Plan) {
				return fmt.Errorf("accuracy: %d of %d trials are completed: go on with virtscope run --resume %s", len(rows), len(r.Plan), r.Dir)
			}
			return nil
		},
	}
}

// accuracyLimits are what virtscope promises: the wire within 1 ms, the client within an interval more.
func accuracyLimits(r *results.Run) ([]accuracy.Limit, error) {
	e, err := spec.Load(r.ExperimentPath())
	if err != nil {
		return nil, err
	}
	interval := time.Duration(e.Probes.Echo.Interval)
	return []accuracy.Limit{
		{View: timeline.BlackoutWire, Tolerance: time.Millisecond},
		{View: timeline.BlackoutClient, Tolerance: interval + time.Millisecond},
	}, nil
}
