package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// exitSkip tells git bisect run that a revision cannot be judged.
const exitSkip = 125

func newBisectReadyCommand() *cobra.Command {
	var o compareOptions
	c := &cobra.Command{
		Use:   "bisect-ready BASE HEAD",
		Short: "compare for git bisect run: exit 0 when head is no worse, 1 when it is, 125 when that cannot be told",
		Example: `  git bisect run sh -c 'make && virtscope run nightly.yaml && virtscope bisect-ready good latest'
  # 125 too when a run is missing, broken or of another machine`,
		Args: runsToCompare(&o),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := o.compare(c, args)
			if err != nil {
				return &codedError{exitSkip, err}
			}
			err = o.judgeGate(r, true)
			if errors.Is(err, errUndecided) {
				return &codedError{exitSkip, err}
			}
			fmt.Fprintln(c.OutOrStdout(), r.Answer())
			return err
		},
	}
	o.add(c)
	o.addSides(c)
	return c
}
