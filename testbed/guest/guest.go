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
	// *OutcomeError; the guest then still runs on its source or is lost, and Instance.Host says where: the
	// destination as soon as it runs there in post-copy, otherwise the source until Run returned nil.
	//
	// Nil is what was asked for. After CancelAfter, and after KillDestinationAfter in pre-copy, it says that the
	// migration ended and the guest runs on at the source; a background snapshot leaves it there too. A
	// migration that was over, or in post-copy, before it could be cancelled is an *OutcomeError, and so is a
	// guest that was lost with its destination. Post-copy cannot be cancelled: after Timeout Run gives up on it
	// with an *OutcomeError, and the guest depends on both hosts.
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
	// DestinationBinary runs at the destination of a migration; empty is Binary.
	DestinationBinary string
	DirtyRing         int    // pages of KVM's dirty ring; 0 is the bitmap
	Disk              *Disk  // nil is none
	Root              string // path of a read-only ext4 image with a workload's programs, the same on every host; empty is none
	NIC               NIC
	Dir               string // an existing directory of the trial for sockets, short enough for a unix address
	LogDir            string // an existing directory of the trial for consoles and transcripts
	// Guests may share both directories at once if they share both: their files are then numbered as they start, by host. To tell
	// them apart by name, give each a LogDir and a Dir of its own.

	Start Start
}

// A NIC is the guest's network card, on a tap that every host has under the same name.
type NIC struct {
	Tap     string
	MAC     string // aa:bb:cc:dd:ee:ff
	Address string // CIDR, such as 10.77.0.10/24
}

// A Disk is the guest's first virtual disk.
type Disk struct {
	Size   int64  // B
	Format string // raw or qcow2
	// Paths by host name; with shared storage, all are one file. What is at the source's path when the guest boots is the
	// disk; the driver makes an empty disk where a host that receives a migration has none.
	Paths  map[string]string
	Shared bool
	// Track notes what the guest writes from the boot on, as an incremental copy needs. The copy goes on from the state at
	// boot, which must then be at the destination's path before the guest boots.
	Track bool
}

// A DiskChecker is an Instance that can hold the disks of both ends of a migration against each other.
type DiskChecker interface {
	// CheckDisk compares the destination's disk with the source's, and records DiskCompared, DiskDiffers, DiskWritten and DiskOutside. The
	// guest must be quiet. It does nothing where no disk was copied.
	// A disk that differs where the guest wrote nothing since the switch-over, or by more than it wrote, is an *OutcomeError.
	CheckDisk(ctx context.Context) error
}

// A MigrationChecker is a Driver that can say, before anything starts, whether a migration with these options is possible
// from one host to another. Its error is a *NotSupportedError, or several joined, that name what is missing where.
// Warnings are what it cannot judge, such as a capability that it passes through.
type MigrationChecker interface {
	CheckMigration(ctx context.Context, src, dst host.Host, s Spec, o MigrateOptions) (warnings []string, err error)
}

// The algorithms of MigrateOptions.
const (
	PreCopy            = "precopy"
	PostCopy           = "postcopy"
	Hybrid             = "hybrid"
	XBZRLE             = "xbzrle"
	Multifd            = "multifd"
	Compress           = "compress"
	AutoConverge       = "auto-converge"
	DirtyLimit         = "dirty-limit"
	StopAndCopy        = "stop-and-copy"
	MappedRAM          = "mapped-ram"
	BackgroundSnapshot = "background-snapshot"
)

// MigrateOptions are the knobs of one migration. A zero value leaves the hypervisor's default, or turns a feature off.
type MigrateOptions struct {
	Algorithm     string        // one of the constants above
	Address       string        // IP of the destination on the migration network
	Port          int           // TCP port there; NBD listens on DiskPort
	MaxBandwidth  float64       // B/s
	DowntimeLimit time.Duration // longest stop-and-copy that the source may plan
	MaxRounds     int           // more pre-copy rounds than this: cancelled, failed
	Timeout       time.Duration // longer than this: cancelled, failed

	Switch            PostCopySwitch // of postcopy and hybrid
	PostCopyPreempt   bool
	PostCopyBandwidth float64       // B/s
	PostCopyRecovery  time.Duration // a post-copy that moves nothing for so long is paused, and recovered; 0 never
	PauseAfterRounds  int           // the guest is stopped after so many pre-copy rounds, and the rest copied; 0 never
	XBZRLECache       int64         // B, a power of two
	Channels          int           // of multifd
	Compression       string        // of multifd: none, zlib, zstd
	CompressionLevel  int           // of compress and of multifd's zlib and zstd; 0 is the level 0
	CompressThreads   int
	DecompressThreads int
	ThrottleInitial   int     // %
	ThrottleIncrement int     // percent points
	ThrottleMax       int     // %
	DirtyLimit        float64 // B/s of each vCPU
	DirtyLimitPeriod  time.Duration
	ReturnPath        bool
	SwitchoverAck     bool
	ZeroPageDetection string // none, legacy, multifd
	TLS               bool

	DiskPort      int     // TCP port of the destination's NBD server
	DiskCopy      string  // of a disk that is not shared: mirror or incremental
	DiskWrites    string  // background or write-blocking
	DiskBandwidth float64 // B/s

	CancelAfter          time.Duration // cancelled on purpose after so long; 0 never
	KillDestinationAfter time.Duration // the destination's hypervisor is killed after so long; 0 never

	// File that a migration by way of a file writes and reads; every host sees it.
	File string
	// Capabilities and Parameters are passed through to the hypervisor as they stand.
	Capabilities map[string]string
	Parameters   map[string]string

	// Outage scripts the guest's silence; only the scripted driver takes it.
	Outage time.Duration
}

// A PostCopySwitch says when a migration turns to post-copy: the first that comes true. The zero value is at once.
type PostCopySwitch struct {
	Rounds        int           // after so many pre-copy rounds; 0 is none
	After         time.Duration // after so long; 0 is none
	NotConverging bool          // a round begins with at least 90 % of what the one before began with
}
