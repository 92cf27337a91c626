package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// noURL refuses a server's URL where an argument is something else, with a remedy, before next looks. It does not say the URL again: it may hold a password.
func noURL(remedy string, next cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		for _, a := range args {
			if strings.Contains(a, "://") {
				return specError(fmt.Errorf("%s: %s", c.CommandPath(), remedy))
			}
		}
		return next(c, args)
	}
}
