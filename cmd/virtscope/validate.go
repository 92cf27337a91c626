package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func newValidateCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "validate EXPERIMENT...",
		Short: "check experiments and report every problem with its place",
		Args:  needArgs(1, "name an experiment file, or one of the catalogue such as quickstart"),
		RunE: func(c *cobra.Command, names []string) error {
			var errs []error
			for _, name := range names {
				p, err := planAtScale(c, name)
				if err != nil {
					errs = append(errs, err)
					continue
				}
				fmt.Fprintf(c.OutOrStdout(), "%s: valid: %d trials, about %s\n", name, len(p.Trials), round(p.Estimate()))
			}
			return specError(errors.Join(errs...))
		},
	}
	addScaleFlag(c)
	return c
}

// oneArg is cobra.ExactArgs(1) with a remedy.
func oneArg(remedy string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != 1 {
			return specError(fmt.Errorf("%s: %s", c.CommandPath(), remedy))
		}
		return nil
	}
}

// needArgs is cobra.MinimumNArgs with a remedy.
func needArgs(least int, remedy string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < least {
			return specError(fmt.Errorf("%s: %s", c.CommandPath(), remedy))
		}
		return nil
	}
}
