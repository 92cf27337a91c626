package runner

import (
	"context"
	"virtscope/experiments/plan"
	"virtscope/probes"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// A Lab makes what a trial runs on.
type Lab interface {
	// Up brings up the trial's testbed. Dir is the trial's folder, for logs and captures. On an error nothing
	// is left.
	Up(ctx context.Context, t plan.Trial, dir string) (Site, error)
}

// A Site is one trial's testbed, up, with what will run there. The runner calls Down once.
type Site interface {
	Source() host.Host
	Destination() host.Host
	Driver() guest.Driver
	Guest() guest.Spec
	Migration() guest.MigrateOptions
	// Probes are made ready but not started. Processes lists the guest's processes at any time.
	Probes(processes func() []guest.Process) ([]probes.Probe, error)
	// Clocks measures every host's clock against the controller's (results.ClockOffset).
	Clocks(ctx context.Context) ([]results.Record, error)
	// Facts are what was found only now, such as the accelerator.
	Facts(ctx context.Context) ([]results.Fact, error)
	Down(ctx context.Context) error
}
