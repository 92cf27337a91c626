package guest

import (
	"context"
	"virtscope/results"
	"virtscope/testbed/host"
)

// The ways in of a guest's kernel.
const (
	BootKernel   = "kernel"   // Spec.Kernel is a bzImage, entered as its boot protocol says
	BootPVH      = "pvh"      // Spec.Kernel is an uncompressed vmlinux with a PVH entry
	BootFirmware = "firmware" // from the disk; Spec.Kernel, Initrd and Append are not read
)

// Start is what concerns how a guest begins, beside its devices. The zero value is a kernel that is booted directly, with
// anonymous memory, and whose start nobody watches.
type Start struct {
	Boot     string // one of the constants above; "" is BootKernel
	Firmware string // of BootFirmware: "bios" or "uefi"; "" is bios
	// HugePages backs the memory with pages of so many B, 2 MiB or 1 GiB; 0 is ordinary pages.
	HugePages int64
	Prealloc  bool // all memory is touched before the guest starts
	// MemoryFile is where, on its host, the guest's memory lies as a file from the boot on, shared with it, so that a checkpoint of
	// format memory-file can copy it; "" is anonymous memory. The driver makes the file.
	MemoryFile string
	// Balloon gives it a virtio balloon, which Resizer needs for memory.
	Balloon bool
	// MaxVCPUs is how many vCPUs can be plugged in later on, with VCPUs there from the begin; 0 is VCPUs.
	MaxVCPUs int
	// Seed is the path of a cloud-init seed (an ISO 9660 image called cidata), attached read-only; "" is none.
	Seed string
	// OEMString is given to the guest as a string of its SMBIOS (type 11): what a guest that is booted by firmware has in place of
	// Spec.Append; "" is none.
	OEMString string
	// NoAgent says that the guest's image has no agent of virtscope: Agented.Agent then never speaks.
	NoAgent bool
	// Observe records how it starts: BootSpawn, BootMonitor, BootFirmware, BootFirmwareEnd, BootKernel, BootInit, BootConsole,
	// and ImageFetched while its disk has a backing image.
	Observe bool
}

// The formats of a saved guest.
const (
	FormatStream     = "stream"      // a migration stream
	FormatMappedRAM  = "mapped-ram"  // QEMU's capability mapped-ram: each page at its place in the file
	FormatMemoryFile = "memory-file" // a copy of Start.MemoryFile, and the devices' state (QEMU's capability x-ignore-shared)
)

// A Saver is an Instance whose state can be saved.
type Saver interface {
	// Save writes the guest's state, and returns when all was written to files or sent, not when it is on disk. The guest
	// then runs on, but for After: StayStopped. It records VMStop, VMResume, CheckpointFreeze, CheckpointDump, CheckpointDumped,
	// CheckpointDisk, CheckpointDiskDone and CheckpointThaw. On an error the guest runs on where it ran, and what was written is
	// worth nothing. An *OutcomeError is the subject's own: it could not be saved in time, say.
	Save(ctx context.Context, o SaveOptions) (Saved, error)
}

// SaveOptions say how.
type SaveOptions struct {
	Format string // one of the constants above
	// Live lets the guest run on while its memory is written (background-snapshot; FormatStream alone). Else it stands still.
	Live bool
	// Stream is where FormatStream goes, as QEMU names it: unix:PATH or tcp:ADDRESS:PORT of somebody who listens already.
	Stream string
	// Memory is the path of the file that the other formats write; State is that of the devices' state, of FormatMemoryFile.
	Memory, State string
	// Disk is the path of the file in which the disk is saved (qcow2), consistent with the memory; "" leaves it out.
	Disk string
	// Incremental saves only what was written since the last Save with a Disk; the driver follows it from that one on. Without
	// one before, it is an error.
	Incremental bool
	// StayStopped leaves the guest stopped: it will be ended.
	StayStopped bool
}

// Saved is what was written.
type Saved struct {
	MemoryBytes int64 // B that the hypervisor wrote, or the file's allocated size
	StateBytes  int64 // B of devices' state of FormatMemoryFile
	DiskBytes   int64 // B of the disk's file
}

// A Restorer is a Driver that can make a guest from a saved state.
type Restorer interface {
	// Restore starts a guest on h from what a Saver saved with the same Spec, but for names, paths and the NIC's tap, and
	// returns when it runs, or stands stopped if o.Paused. The disk of the Spec is ready at its path. It records BootSpawn, BootMonitor, RestoreBegin,
	// RestoreEnd and VMResume. A state that does not fit or is damaged is an *OutcomeError, and nothing is left.
	Restore(ctx context.Context, h host.Host, s Spec, o RestoreOptions, rec results.Recorder) (Instance, error)
}

// RestoreOptions say from what.
type RestoreOptions struct {
	Format string
	// Stream is unix:PATH, where somebody serves a saved stream to the first who connects.
	Stream        string
	Memory, State string
	// OnDemand maps FormatMemoryFile's memory privately: pages are read when they are touched, and those that are written are
	// copied. Memory then stays as it is, and serves any number of guests at once.
	OnDemand bool
	// Paused leaves the guest stopped, for Resume.
	Paused bool
}

// A Pausable is an Instance that can be stopped and go on.
type Pausable interface {
	Pause(ctx context.Context) error  // records VMStop
	Resume(ctx context.Context) error // records VMResume
}

// A Resizer is an Instance whose memory and vCPUs can be changed.
type Resizer interface {
	// SetMemory asks the balloon for so many B that are left to the guest, and returns what the guest has when it has followed, or,
	// with what it has by then, when ctx is done. It records GuestMemoryGiven.
	SetMemory(ctx context.Context, b int64) (int64, error)
	// AddVCPUs plugs in vCPUs until there are n. The guest takes them into use by itself or through its agent.
	AddVCPUs(ctx context.Context, n int) error
}

// A Killer is an Instance that can be made to fail: its hypervisor is killed, with no chance to say anything. The Instance is
// not usable afterwards, but for Close.
type Killer interface {
	Kill() error
}

// Named returns a recorder that adds AttrGuest to each record: for a trial with several guests.
func Named(rec results.Recorder, name string) results.Recorder { return named{rec, name} }

type named struct {
	to   results.Recorder
	name string
}

// Record implements results.Recorder.
func (n named) Record(r results.Record) {
	attrs := make(map[string]string, len(r.Attrs)+1)
	for k, v := range r.Attrs {
		attrs[k] = v
	}
	attrs[results.AttrGuest] = n.name
	r.Attrs = attrs
	n.to.Record(r)
}
