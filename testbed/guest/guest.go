package guest

import (
	"context"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/host"
)

// A Driver makes guests of one kind.
type Driver interface {
	// Name is the driver's name in an experiment, such as "qemu".
	Name() string
	// Fingerprint says what the driver can do on h with this spec, or why it cannot. It starts no guest.
	Fingerprint(ctx context.Context, h host.Host, s Spec) (Capabilities, error)
	// Boot starts a guest on h. It returns when the guest was spawned, not when it is ready: see Agent.
	// On an error nothing is left running. The Recorder is used until the instance is closed.
	Boot(ctx context.Context, h host.Host, s Spec, rec results.Recorder) (Instance, error)
}

// An Instance is a guest. Close ends it wherever it runs, is idempotent and waits until it is gone.
type Instance interface {
	Host() host.Host // where it runs now
	// Processes lists the processes that serve the guest now, on all hosts.
	Processes() []Process
	// Done is closed when the guest ended by itself or was closed.
	Done() <-chan struct{}
	Close() error
}

// An Agented guest runs virtscope's agent.
type Agented interface {
	// Agent is the guest's agent, the same one before and after a migration. It is closed with the instance.
	Agent() *agent.Client
}

// A Migrator is an Instance that can move to another host.
type Migrator interface {
	// PrepareMigration makes the destination ready to receive: whatever need not count as migration time.
	// On an error nothing is left on dst.
	PrepareMigration(ctx context.Context, dst host.Host, o MigrateOptions) (Migration, error)
}

// A Migration is ready to run, once.
type Migration interface {
	// Run migrates and returns when the guest runs at the destination and the source is done, or with an
	// error. An error that is the subject's own outcome (it did not converge, it failed) is an
	// *OutcomeError; the guest then still runs on its source or is lost, and Instance.Host says where.
	Run(ctx context.Context) error
}

// A Process is a host process that is part of a guest, for the usage probe.
type Process struct {
	Host string
	Role string // "source"; "destination" for one that was started to receive a migration
	PID  int
}

// Capabilities says what a driver can do on one host.
type Capabilities struct {
	Version     string         // of the hypervisor, such as "10.0.2"
	Accelerator string         // the one that will be used: kvm, tcg; empty where there is none
	Why         string         // why that accelerator
	Facts       []results.Fact // anything worth a line in the manifest
}

// A Spec is a guest, ready to be made: nothing in it is looked up later.
type Spec struct {
	Name    string
	Memory  int64  // B
	VCPUs   int    // at least 1
	Kernel  string // path of a bzImage
	Initrd  string // path
	Append  string // added to the kernel's command line
	Binary  string // hypervisor executable; empty is the driver's default
	Accel   string // auto, kvm or tcg
	Machine string // machine type; empty is the driver's default
	NIC     NIC
	Dir     string // an existing directory of the trial for sockets, short enough for a unix address
	LogDir  string // an existing directory of the trial for consoles and transcripts
}

// A NIC is the guest's network card, on a tap that every host has under the same name.
type NIC struct {
	Tap     string
	MAC     string // aa:bb:cc:dd:ee:ff
	Address string // CIDR, such as 10.77.0.10/24
}

// MigrateOptions are the knobs of one migration. A zero value leaves the hypervisor's default.
type MigrateOptions struct {
	Algorithm     string        // precopy
	Address       string        // IP of the destination on the migration network
	Port          int           // TCP port there
	MaxBandwidth  float64       // B/s
	DowntimeLimit time.Duration // longest stop-and-copy that the source may plan
	MaxRounds     int           // more pre-copy rounds than this: cancelled, failed
	Timeout       time.Duration // longer than this: cancelled, failed
	// Outages scripts the guest's silence; only the scripted driver takes it.
	Outage time.Duration
}
