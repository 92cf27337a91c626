package main

import (
	"virtscope/results/influx"

	"github.com/spf13/cobra"
)

func newDashboardCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "dashboard EXPERIMENT",
		Short: "print a Grafana dashboard for an experiment's runs in InfluxDB, with a variable for each of its factors",
		Example: `  virtscope dashboard quickstart > dashboard.json
  virtscope dashboard runs/quickstart-20261127T073215.149Z/experiment.yaml > dashboard.json`,
		Args: oneArg("name one experiment file, or one of the catalogue such as quickstart"),
		RunE: func(c *cobra.Command, args []string) error {
			p, err := loadPlan(args[0])
			if err != nil {
				return err
			}
			var d influx.Dashboard
			seen := map[string]bool{}
			for _, t := range p.Trials {
				for _, l := range t.Levels {
					if !seen[l.Factor] {
						seen[l.Factor] = true
						d.Factors = append(d.Factors, l.Factor)
					}
				}
			}
			text, err := d.JSON()
			if err != nil {
				return err
			}
			_, err = c.OutOrStdout().Write(text)
			return err
		},
	}
}
