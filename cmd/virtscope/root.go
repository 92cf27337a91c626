package main

import (
	"github.com/spf13/cobra"
)

// newRoot is the command line. Each subcommand stands in a file of its own. Release gives signals back to the system: the
// next one ends the program at once.
func newRoot(release func()) *cobra.Command {
	root := &cobra.Command{
		Use:   "virtscope",
		Short: "measure what a virtualization testbed does to the things that run on it",
		Long: `virtscope runs declarative experiments that boot and migrate real guests while packet capture and host
probes watch, and tells what happened: phases, rounds, four views of the outage, each with its error bound.

Start with: virtscope run quickstart`,
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().String("runs", "runs", "folder that holds the runs")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return specError(err) })
	root.AddCommand(
		newRunCommand(release), newValidateCommand(), newPlanCommand(), newSchemaCommand(),
		newPcapCommand(), newShowCommand(), newWatchCommand(), newAnalyzeCommand(), newAccuracyCommand(), newCompareCommand(), newCompareEqualsCommand(), newBisectReadyCommand(), newTrendCommand(), newEffectsCommand(), newExportCommand(),
		newBundleCommand(), newUnbundleCommand(), newVerifyCommand(),
		newTraceCommand(), newImportCommand(), newPullCommand(), newDashboardCommand(), newPlotCommand(), newCheckpointCommand(),
		newDoctorCommand(), newCleanCommand(), newScriptedGuestCommand(), newFrameRelayCommand(),
		newInfluxCommand(),
	)
	return root
}

// runsDir is where runs are kept.
func runsDir(c *cobra.Command) string {
	dir, _ := c.Flags().GetString("runs") // a flag of root: it is always there
	return dir
}
