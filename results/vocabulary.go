package results

// The names below are the contract between those who observe and those who analyse. One thing has one
// name, and each says its unit, its value and its attributes. A cumulative counter is recorded as it was
// read: rates are derived, never recorded in its place.

// Sources: who observed.
const (
	SourceRunner        = "runner"
	SourceQMP           = "qmp"            // a hypervisor event, stamped by the hypervisor, or a reply, stamped on arrival
	SourceScripted      = "scripted"       // the scripted guest's own ground truth
	SourceGuest         = "guest"          // a message of the guest's agent, stamped on arrival at the host
	SourceCaptureSwitch = "capture/switch" // frames as they enter the switch
	SourceCapturePrefix = "capture/"       // + host name: frames at that host's tap
	SourceEcho          = "echo"
	SourceUsage         = "usage"
	SourceEnergy        = "energy"
)

// What the runner records. Attr "state" of TrialState is one of the State constants.
const (
	TrialState = "trial.state" // event: a state begins (and the one before ends)
	TrialEnd   = "trial.end"   // event: the last state ended
	// ActionBegin is an event: the action was asked for. Attrs: action; algorithm; client (third, source, destination: where the
	// client runs); cancel, kill-destination ("true" where that is done on purpose).
	ActionBegin = "action.begin"
	ActionEnd   = "action.end"   // event: the action returned; Attrs: action
	ClockOffset = "clock.offset" // s: a host's clock minus the controller's; Attrs: host, bound (s)
)

// The states of a trial, in order.
const (
	StatePrepare  = "prepare"
	StateBoot     = "boot"
	StateWarmUp   = "warm-up"
	StateBaseline = "baseline"
	StateAction   = "action"
	StateQuiesce  = "quiesce"
	StateCollect  = "collect"
	StateTearDown = "tear-down"
)

// What a hypervisor says. Host is the host on which it runs.
const (
	VMStop          = "vm.stop"          // event: the guest stopped
	VMResume        = "vm.resume"        // event: the guest runs
	MigrationStatus = "migration.status" // event; Attrs: status (QAPI MigrationStatus: setup, active, device, completed, failed …)
	PreCopyRound    = "precopy.round"    // event, Value: n, the n-th dirty bitmap synchronisation (QAPI MIGRATION_PASS.pass): round n begins

	// Samples of the hypervisor's own counters (QAPI query-migrate). Attrs: trigger (pass, poll, final); round
	// when trigger is pass.
	MigrationTransferred = "migration.transferred" // B, cumulative: ram.transferred
	MigrationRemaining   = "migration.remaining"   // B: ram.remaining
	MigrationTotal       = "migration.total"       // B: ram.total, the guest memory that is migrated
	MigrationDirtyRate   = "migration.dirty-rate"  // B/s: ram.dirty-pages-rate × ram.page-size
	MigrationRate        = "migration.rate"        // B/s: ram.mbps
	MigrationPages       = "migration.pages"       // 1, cumulative; Attrs: kind (normal, zero)
	MigrationSyncCount   = "migration.sync-count"  // 1, cumulative: ram.dirty-sync-count

	// What the hypervisor reports once the migration is over (trigger final).
	ReportedTotalTime = "migration.total-time" // s: total-time
	ReportedDowntime  = "migration.downtime"   // s: downtime
	ReportedSetupTime = "migration.setup-time" // s: setup-time

	// SilenceBegin and SilenceEnd bracket a scripted outage exactly (source scripted only).
	SilenceBegin = "silence.begin" // event
	SilenceEnd   = "silence.end"   // event
)

// What the guest's agent says. Time is the arrival at the host; Attr "mono" is the guest's own monotonic
// clock in ns when it spoke. The guest's clock stands still while the guest is stopped.
const (
	GuestHeartbeat = "guest.heartbeat" // s: guest monotonic time; Attrs: seq, mono
	GuestTickMiss  = "guest.tick.miss" // s: a step of the ticker longer than its threshold; Attrs: mono (ns, the step's end)
	GuestTickInfo  = "guest.tick.info" // s: the ticker's interval; Attrs: threshold (s)
	GuestDirtied   = "guest.dirtied"   // B, cumulative: memory that the workload wrote; Attrs: mono, late (s behind its rate), uncounted (the kinds that write memory that is not counted, with commas)
	GuestReady     = "guest.ready"     // event: the agent answers and the guest's network is up
	GuestLog       = "guest.log"       // event: the agent says something, such as that it lost reports; Attrs: text, mono
	MemoryVerified = "memory.verified" // B: memory that was verified and found intact
	MemoryCorrupt  = "memory.corrupt"  // 1: pages whose content is wrong; Attrs: first (page), detail
)

// What a capture sees. Attr "port" is the switch port (a host's name) or the tap where the frame came in.
const (
	GuestFrame    = "guest.frame"    // B: length of one frame whose source is the guest's MAC; Attrs: port
	GuestAnnounce = "guest.announce" // event: RARP or gratuitous ARP that carries the guest's MAC; Attrs: kind (rarp, garp), port
	// FlowBytes and FlowPayload are sums over one bin that starts at Time. Attrs: flow (one of the Flow constants), dir
	// (forward: to the server, which is the destination host, or the guest; reverse), bin (s). Empty bins are not recorded.
	FlowBytes   = "flow.bytes"   // B: whole frames as captured (an offloaded super-frame counts once)
	FlowPayload = "flow.payload" // B: TCP payload, retransmissions included; of flow client, UDP payload, too

	CaptureFrames   = "capture.frames"    // 1: frames seen in the whole trial; Attrs: malformed (how many could not be decoded), where there were any
	CaptureDropped  = "capture.dropped"   // 1: frames that the kernel dropped for this capture
	CaptureMaxFrame = "capture.frame.max" // B: longest frame seen; above the MTU when offloads merge frames
)

// What the echo client sees. Time is when the probe was sent.
const (
	EchoRTT      = "echo.rtt"      // s: the probe was answered after Value; Attrs: seq
	EchoLost     = "echo.lost"     // event: the probe was never answered; Attrs: seq; error where the send call failed
	EchoInterval = "echo.interval" // s: the interval that was asked for. It comes last, when every probe was told of.
	// EchoSilent is an event: no answer came from the last one that was told until Time, when a probe was sent. It is recorded
	// now and then while none comes.
	EchoSilent = "echo.silent"
	// EchoHeard is an event, recorded at once where somebody waits for it: an answer came at Time. Not every answer is told.
	EchoHeard = "echo.heard"
)

// What the usage and energy probes sample: counters as the kernel keeps them.
const (
	HostCPU       = "host.cpu"       // s, cumulative over all CPUs; Attrs: mode (user, system, idle, iowait, irq, softirq, steal, nice)
	HostCPUs      = "host.cpus"      // 1: logical CPUs
	HostLoad      = "host.load"      // 1: load average over 1 min
	HostMemory    = "host.memory"    // B: used memory
	HostDiskRead  = "host.disk.read" // B, cumulative over whole disks
	HostDiskWrite = "host.disk.write"
	HostNetRx     = "host.net.rx" // B, cumulative; Attrs: interface
	HostNetTx     = "host.net.tx"
	ProcessCPU    = "process.cpu" // s, cumulative, user + system; Attrs: process, pid
	ProcessRSS    = "process.rss" // B; Attrs: process, pid
	ThreadCPU     = "thread.cpu"  // s, cumulative; Attrs: process, pid, thread, tid
	Energy        = "energy"      // J, cumulative since the probe started; Attrs: domain
)

// What every probe says of itself when it ends. Source is the probe's.
const (
	ProbeCPU     = "probe.cpu"     // s of CPU that the probe used
	ProbeWall    = "probe.wall"    // s that the probe ran
	ProbeLate    = "probe.late"    // 1: ticks that came late by more than an interval, or were left out
	ProbeDropped = "probe.dropped" // 1: records or frames that it lost
	ProbeFailed  = "probe.failed"  // event: the probe could not go on; Attrs: error
)

// What a Recorder says of itself.
const (
	RecordsDropped = "records.dropped" // 1: records that the store could not keep
)
