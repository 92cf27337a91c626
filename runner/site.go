package runner

import (
	"context"
	"virtscope/experiments/plan"
	"virtscope/probes"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
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
	// Start starts the trial's guest on the source: it boots, or is restored where the experiment says guest.start: warm.
	Start(ctx context.Context, rec results.Recorder) (guest.Instance, error)
	// Fleet starts the guests of actions that start them.
	Fleet() Fleet
	// Vault saves the trial's guest and brings it back.
	Vault() Vault
	Migration() guest.MigrateOptions
	// Background starts what else runs on the testbed, such as cross-traffic, and records what it does. Stop ends it, once.
	Background(ctx context.Context, rec results.Recorder) (stop func() error, err error)
	// Cut cuts a host's end of a link ("link" or "migration-link") until restore is called.
	Cut(ctx context.Context, link string, h host.Host) (restore func(context.Context) error, err error)
	// KillHost kills all that runs on a host, at once: guests, image servers, whatever stands in its network.
	KillHost(ctx context.Context, h host.Host) error
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

// A Fleet starts guests by number, from 0. It is safe for concurrent use; what it made goes with the site.
type Fleet interface {
	// Hosts that guests start on, in order.
	Hosts() []host.Host
	// Name of guest n.
	Name(n int) string
	// Prepare makes what does not count as a guest's start: templates, image servers, substrates, a pool of spawned clones.
	Prepare(ctx context.Context, rec results.Recorder) error
	// Start brings guest n's disk to h and starts it there, with so much memory, or the experiment's where it is 0. It returns when
	// the guest is spawned, or, where it was saved, runs and has its own identity. The caller closes it. The recorder is the trial's: Fleet names
	// the guest in every record.
	Start(ctx context.Context, n int, h host.Host, memory int64, rec results.Recorder) (guest.Instance, error)
	// Await returns when the client has guest n's first answer, and records BootAnswer.
	Await(ctx context.Context, n int, rec results.Recorder) error
	// Identity is the one that guest n was given.
	Identity(n int) agent.Identity
	// Measure records what docked substrates and running guests take of memory.
	Measure(ctx context.Context, rec results.Recorder) error
}

// A Vault saves guests into a catalogue of checkpoints and brings them back, as the experiment's action says. It goes with the site.
type Vault interface {
	// Save makes the n-th checkpoint (from 1) of g. It returns its id when it is on disk under its final name; thawed, if not
	// nil, is called as soon as the guest runs on. Older ones are pruned.
	Save(ctx context.Context, g guest.Instance, n int, thawed func(), rec results.Recorder) (id string, err error)
	// Verify reads a checkpoint back and holds it against its hashes.
	Verify(ctx context.Context, id string, rec results.Recorder) error
	// Damage truncates a checkpoint's memory, or flips a bit of it ("truncate", "flip").
	Damage(ctx context.Context, id, kind string, rec results.Recorder) error
	// Restore makes a guest from a checkpoint on h. A checkpoint that is damaged is an *guest.OutcomeError before anything is started.
	Restore(ctx context.Context, id string, h host.Host, rec results.Recorder) (guest.Instance, error)
}
