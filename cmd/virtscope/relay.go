package main

import (
	"virtscope/testbed/relay"

	"github.com/spf13/cobra"
)

const frameRelayName = "frame-relay"

// newFrameRelayCommand is the process that carries the frames of emulated links: this program again.
func newFrameRelayCommand() *cobra.Command {
	return &cobra.Command{
		Use:                frameRelayName,
		Short:              "delay and lose the frames of links (virtscope starts this itself)",
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(c *cobra.Command, _ []string) error {
			return relay.Serve(c.InOrStdin(), c.OutOrStdout())
		},
	}
}
