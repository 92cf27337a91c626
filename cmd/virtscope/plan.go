package main

import (
	"time"
	"virtscope/experiments/plan"

	"github.com/spf13/cobra"
)

func newPlanCommand() *cobra.Command {
	var o powerOptions
	var series seriesOptions
	c := &cobra.Command{
		Use:   "plan EXPERIMENT",
		Short: "print the trials in the order in which they would run; start nothing",
		Example: `  virtscope plan quickstart
  virtscope plan quickstart --power 5%,10% --from latest     # how many replicates show a difference of 5 %`,
		Args: noURL("give the server as --influx=URL, with = before it", oneArg("name one experiment file, or one of the catalogue such as quickstart")),
		RunE: func(c *cobra.Command, args []string) error {
			if err := series.check(); err != nil {
				return specError(err)
			}
			p, err := planAtScale(c, args[0])
			if err != nil {
				return err
			}
			if o.asked() {
				return o.write(c, c.OutOrStdout())
			}
			if err := plan.Write(c.OutOrStdout(), p); err != nil {
				return err
			}
			return series.write(c, c.OutOrStdout(), p)
		},
	}
	addScaleFlag(c)
	o.add(c)
	series.add(c)
	return c
}

func round(d time.Duration) time.Duration { return d.Round(time.Second) }
