package main

import (
	"fmt"
	"strings"
	"virtscope/results"
	"virtscope/results/influx"

	"github.com/spf13/cobra"
)

func newInfluxCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "influx",
		Short: "ship runs into InfluxDB, and look whether one answers",
		Long: `influx ships the records of runs into InfluxDB 1.8, 2 or 3. The run folder stays the truth: what was not accepted is shipped from there later.

Where to is said by flags, else by the environment (INFLUX_URL, INFLUX_ORG, INFLUX_BUCKET, INFLUX_TOKEN or INFLUX_USER and INFLUX_PASSWORD), else by the
experiment's key influx, if --as-said (of run: --influx) asks for that. Secrets are best in the environment or a file: other users of the machine can see flags.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newInfluxPushCommand(), newInfluxCheckCommand())
	return c
}

func newInfluxCheckCommand() *cobra.Command {
	var o influxOptions
	c := &cobra.Command{
		Use:   "check [RUN]",
		Short: "look whether InfluxDB answers and would let us write, without writing",
		Long: `check asks the server who it is, and whether it would take points into the bucket, and writes nothing. With a run, it takes what that run's experiment says
of InfluxDB where neither flags nor the environment do, if --as-said asks for that.`,
		Args: noURL("the argument is a run: give the server by --url", cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			var r *results.Run
			if len(args) == 1 {
				var err error
				if r, err = openRun(c, args[0]); err != nil {
					return specError(err)
				}
			}
			target, err := o.ofRun(r)
			if err != nil {
				return specError(err)
			}
			answer, err := influx.Probe(c.Context(), target)
			if err != nil {
				return err
			}
			if !answer.Named {
				fmt.Fprintf(c.OutOrStdout(), "a server that does not say that it is InfluxDB answers at %s after %.1f ms; whether it would take points is not known\n", target, answer.Took.Seconds()*1e3)
				return nil
			}
			fmt.Fprintf(c.OutOrStdout(), "InfluxDB %s answers at %s after %.1f ms, and would take points\n", answer.Version, target, answer.Took.Seconds()*1e3)
			return nil
		},
	}
	o.add(c, "")
	o.addAsSaid(c)
	return c
}

// newShipper ships a run's records, and what is derived of them.
func newShipper(r *results.Run, t influx.Target) *influx.Shipper {
	return &influx.Shipper{Run: r, Target: t, Head: influxHead(r), Beside: influxBeside(r)}
}

// grouped writes a number with its digits in groups.
func grouped(n int64) string {
	text := fmt.Sprint(n)
	var b strings.Builder
	for i, digit := range text {
		if i > 0 && (len(text)-i)%3 == 0 && text[i-1] != '-' {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	return b.String()
}
