package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"virtscope/analysis/dataset"
	"virtscope/analysis/trend"

	"github.com/spf13/cobra"
)

func newTrendCommand() *cobra.Command {
	var metrics []string
	var alpha float64
	var seed uint64
	var format string
	c := &cobra.Command{
		Use:   "trend RUN…",
		Short: "find where a series of runs changed",
		Long: `trend takes each run's median of a metric and finds the runs from which on it differs from those before (E-divisive). Runs are put in
the order in which they were made; CSV files, which do not say when, stay in the order given.`,
		Example: "  virtscope trend runs/nightly-*",
		Args:    needArgs(2, "name two run folders or more, such as runs/nightly-*"),
		RunE: func(c *cobra.Command, args []string) error {
			write := map[string]func(io.Writer, []trend.Series) error{"text": trend.WriteText, "json": trend.WriteJSON}[format]
			switch {
			case write == nil:
				return specError(fmt.Errorf("--format %q: use text or json", format))
			case !(alpha > 0 && alpha < 1):
				return specError(fmt.Errorf("--alpha %v: want a number between 0 and 1, such as 0.05", alpha))
			}
			var sets []dataset.Set
			for _, name := range args {
				set, err := loadSet(c, name)
				if err != nil {
					return err
				}
				sets = append(sets, set)
			}
			slices.SortStableFunc(sets, func(a, b dataset.Set) int { return a.Manifest.Created.Compare(b.Manifest.Created) })
			list, err := trend.Of(sets, metrics, alpha, seed)
			if err != nil {
				return err
			}
			if len(list) == 0 {
				return specError(errors.New("trend: these runs have none of the metrics: name others with --metrics"))
			}
			return write(c.OutOrStdout(), list)
		},
	}
	f := c.Flags()
	f.StringSliceVar(&metrics, "metrics", nil, "these, instead of the headlines")
	f.Float64Var(&alpha, "alpha", 0.05, "chance of a false first change, shared by all series")
	f.Uint64Var(&seed, "seed", 1, "of the permutations")
	f.StringVar(&format, "format", "text", "text or json")
	return c
}
