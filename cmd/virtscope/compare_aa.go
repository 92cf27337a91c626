package main

import (
	"fmt"
	"virtscope/analysis/compare"

	"github.com/spf13/cobra"
)

func newCompareEqualsCommand() *cobra.Command {
	var o compareOptions
	var n int
	c := &cobra.Command{
		Use:   "compare-equals RUN",
		Short: "measure how often a comparison finds a difference where there is none: halves of one run, dealt out by chance",
		Args:  oneArg("name one run folder, or latest"),
		RunE: func(c *cobra.Command, args []string) error {
			options, err := o.options()
			if err != nil {
				return specError(err)
			}
			if n < 1 {
				return specError(fmt.Errorf("--times %d: want at least 1", n))
			}
			set, err := loadSet(c, args[0])
			if err != nil {
				return err
			}
			aa, err := compare.Halved(set, n, options)
			if err != nil {
				return err
			}
			w := c.OutOrStdout()
			fmt.Fprintf(w, "%s: %d comparisons of halves, %d trials a side or more, %d tests each\n", set.Name, aa.Comparisons, aa.Least, aa.Tests)
			fmt.Fprintf(w, "%d red (%.1f %%), %d with any difference (%.1f %%); alpha %g\n",
				aa.Red, percent(aa.Red, aa.Comparisons), aa.Found, percent(aa.Found, aa.Comparisons), o.alpha)
			for _, row := range aa.Worst {
				fmt.Fprintf(w, "  %s of %s: %s, p %.4f\n", row.Metric, row.Treatment, row.Verdict, row.P)
			}
			for _, s := range shortcomings(set) {
				fmt.Fprintln(w, "!", s)
			}
			return nil
		},
	}
	o.add(c)
	c.Flags().IntVar(&n, "times", 200, "how many comparisons")
	return c
}

func percent(part, of int) float64 { return 100 * float64(part) / float64(of) }
