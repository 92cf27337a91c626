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
	// Background starts what else runs on the testbed, such as cross-traffic, and records what it does. Stop ends it, once.
	Background(ctx context.Context, rec results.Recorder) (stop func() error, err error)
	// Cut cuts the source's end of a link ("link" or "migration-link") until restore is called.
	Cut(ctx context.Context, link string) (restore func(context.Context) error, err error)
	// Probes are made ready but not started. Processes lists the guest's processes at any time.
	Probes(processes func() []guest.Process) ([]probes.Probe, error)
	// Clocks measures every host's clock against the controller's (results.ClockOffset).
	Clocks(ctx context.Context) ([]results.Record, error)
	// Links says what the links' emulator did in the trial.
	Links(ctx context.Context) ([]results.Record, error)
	// Warnings are what a reader must know beside the trial's numbers.
	Warnings() []string
	// Facts are what was found only now, such as the accelerator.
	Facts(ctx context.Context) ([]results.Fact, error)
	Down(ctx context.Context) error
}
