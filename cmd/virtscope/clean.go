package main

import (
	"errors"
	"fmt"
	"virtscope/testbed"

	"github.com/spf13/cobra"
)

func newCleanCommand() *cobra.Command {
	var check bool
	c := &cobra.Command{
		Use:   "clean",
		Short: "remove what killed runs left behind: namespaces, processes, runtime folders",
		Long: `clean finds what runs that were killed left on this machine and removes it. What belongs to a run that
is still alive is not touched. Run folders are never touched.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			left, err := testbed.Sweep(c.Context(), check)
			verb := "removed"
			if check {
				verb = "found"
			}
			for _, l := range left {
				fmt.Fprintf(c.OutOrStdout(), "%s %s\n", verb, l)
			}
			if err != nil {
				return err
			}
			if len(left) == 0 {
				fmt.Fprintln(c.OutOrStdout(), "nothing is left behind")
			}
			if check && len(left) > 0 {
				return errors.New("something is left behind: virtscope clean removes it")
			}
			return nil
		},
	}
	c.Flags().BoolVar(&check, "check", false, "remove nothing; exit 1 if there is anything to remove")
	return c
}
