package results

// AttrGuest names the guest that a record is about, in a trial with several; a trial with one guest has none.
const AttrGuest = "guest"

// Sources of what is seen of a guest's start.
const (
	SourceConsole = "console" // a byte that the guest or its firmware wrote, stamped on arrival by the reader at the host
	SourceReady   = "ready"   // the client that waits for a guest's first answer
)

// What a start of a guest goes through, in the order of a cold one. All are events. Attr "bound" (s), where there is one, is by
// how much the edge may have been earlier than Time; Attr "mono" (ns) is the guest's own monotonic clock at the edge, where
// that is what was read: Time then is when the word of it arrived, and "bound" is earlier than mono.
const (
	BootAsked       = "boot.asked"        // source runner: the guest was asked for, by its arrival; Attrs: start (cold, warm, substrate), host
	BootBegin       = "boot.begin"        // source runner: its start begins: it was not held back by the concurrency any longer
	BootSpawn       = "boot.spawn"        // source qmp: the hypervisor's process was started; Attrs: pid; bound (s): how long the start took
	BootMonitor     = "boot.monitor"      // source qmp: the hypervisor answers its monitor; Attrs: bound
	BootFirmware    = "boot.firmware"     // source console: the first byte of the firmware's own log; Attrs: text (its first line)
	BootFirmwareEnd = "boot.firmware.end" // source console: its last line before the kernel; Attrs: text
	BootKernel      = "boot.kernel"       // source console: the kernel's first byte; Attrs: text
	BootKernelEnd   = "boot.kernel.end"   // source guest: the kernel starts PID 1, by its own log; Attrs: mono, text; bound: of the comparison of that log's clock
	BootInit        = "boot.init"         // PID 1 runs: source guest with mono, source console where its mark arrived
	BootModules     = "boot.modules"      // source guest: drivers are loaded; Attrs: mono
	BootNetwork     = "boot.network"      // source guest: its address is set and its card is up; Attrs: mono; bound (s), where the agent set the address itself: since just before
	BootFrame       = "boot.frame"        // source capture/…: the first frame with the guest's MAC as its source; Attrs: port
	BootAnswer      = "boot.answer"       // source ready: the first answer came; Attrs: method (echo, ssh, port, http), rtt (s), bound (s since the last attempt that was not answered was sent; without one, since the first was)
	BootFailed      = "boot.failed"       // source runner: the guest did not get ready; Attrs: error

	// BootUnit is s: a systemd unit or target became active so long after the kernel's begin (systemd-analyze). Attrs: unit, mono; activating (s), how long it took.
	BootUnit = "boot.unit"
	// BootStage is s: what systemd-analyze reports of a stage. Attrs: stage (firmware, loader, kernel, initrd, userspace).
	BootStage = "boot.stage"
	// BootConsole is an event: a line of the console began; only for the first 2000 of a guest. Attrs: text.
	BootConsole = "boot.console"
)

// What the start of a saved guest goes through, beside BootAsked, BootSpawn, BootMonitor, VMResume, BootFrame and BootAnswer.
const (
	RestoreBegin     = "restore.begin"      // event: the hypervisor begins to read the state; Attrs: format, load
	RestoreEnd       = "restore.end"        // event: it has read it, and the guest may run; Attrs: bytes (B that were read)
	GuestIdentified  = "guest.identified"   // event, source guest: it was given its name, address and MAC; Attrs: name, address, mac, mono
	GuestMemoryGiven = "guest.memory.given" // B, source qmp: the guest's memory after the balloon was let off; Attrs: asked
	GuestVCPUsGiven  = "guest.vcpus.given"  // 1, source guest: vCPUs that the guest runs on after more were plugged in; Attrs: asked, mono
)

// How a guest's disk comes to its host. Source is SourceRunner unless it is said.
const (
	ProvisionBegin = "provision.begin" // event; Attrs: method, host
	ProvisionEnd   = "provision.end"   // event; Attrs: method, host, bytes (B that the method itself moved or allocated)
	// ImageFetched is B, cumulative: read from the template through the overlay, source qmp (QEMU's trace of its reads of the backing
	// node, each with its time; query-blockstats counts none of a node).
	ImageFetched = "image.fetched"
	// ImageServed is B, cumulative: sent by an image server, source runner. Attrs: server (a host), from (store, or the server that it asks)
	ImageServed = "image.served"
	// ImagePrefetched is B: what was fetched ahead. Attrs: host, bytes.
	ImagePrefetched = "image.prefetched"
	// FlowImage is the flow of FlowBytes from image servers: forward is to the server. Attrs: host (the one that asks; none: any), server.
	FlowImage = "image"
	// FlowCheckpoint is the flow of FlowBytes of a checkpoint that goes to the other host: forward is to it.
	FlowCheckpoint = "checkpoint"
)

// The pool of substrates, at the begin of the action. Source is SourceRunner.
const (
	SubstrateDocked = "substrate.docked" // B: memory that docked substrates take of their host, all together; Attrs: host, docked (saved, spawned), count (how many they are)
	SubstrateMade   = "substrate.made"   // s: how long it took to make; Attrs: host
	// GuestPrivate is B: memory that a running guest takes for itself (private pages of smaps; of the file that it was cloned from, those that it has written), 1 a guest at the action's end. Attrs: guest, shared (B, proportional share of what it shares)
	GuestPrivate = "guest.private"
	// IdentityConflict is an event: two guests answered to one identity. Attrs: kind (mac, address, name, machine-id), value, guests
	IdentityConflict = "identity.conflict"
	// IdentityChecked is 1: guests whose identity was asked at the action's end; Attrs: conflicts (1)
	IdentityChecked = "identity.checked"
)
