package main

import (
	"virtscope/testbed/guest/guesttest"

	"github.com/spf13/cobra"
)

const scriptedGuestName = "scripted-guest"

// newScriptedGuestCommand is the process that the scripted driver starts on a host: this program again.
func newScriptedGuestCommand() *cobra.Command {
	return &cobra.Command{
		Use:                scriptedGuestName,
		Short:              "be the scripted guest (virtscope starts this itself)",
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(c *cobra.Command, args []string) error {
			return guesttest.RunGuest(c.Context(), args, c.InOrStdin(), c.OutOrStdout())
		},
	}
}
