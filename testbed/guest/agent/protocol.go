// Package agent is the protocol between the controller and the agent in a guest: one JSON object a line,
// over a channel that is not the measured network. It imports only the standard library, so that the
// guest's init can use it.
package agent

// Version is the protocol's version. The agent's hello carries it.
const Version = 3

// Port is the name of the virtio-serial port.
const Port = "virtscope.agent.0"

// A Request asks the agent for something. The reply carries the same ID.
type Request struct {
	ID int64  `json:"id"`
	Op string `json:"op"` // one of the Op constants
	// Workload is set for OpStart.
	Workload *Workload `json:"workload,omitempty"`
	// Memory is set for OpReserve.
	Memory *Memory `json:"memory,omitempty"`
	// Identity is set for OpIdentify.
	Identity *Identity `json:"identity,omitempty"`
	// Job is set for OpJob.
	Job *Job `json:"job,omitempty"`
	// VCPUs is set for OpVCPUs.
	VCPUs int `json:"vcpus,omitempty"`
	// Patience is how long OpVCPUs and OpIdentify wait for devices, in ns; 0 is 20 s.
	Patience int64 `json:"patience,omitempty"`
}

// What can be asked.
const (
	OpHello   = "hello"   // Reply.Hello
	OpReserve = "reserve" // fill static memory with a known pattern, to be verified later
	OpStart   = "start"   // start the workload; replies when its working set was filled and it runs
	OpStop    = "stop"    // stop the workload; Reply.Progress
	OpVerify  = "verify"  // verify all memory that the agent wrote; Reply.Verdict. The workload must be stopped.

	OpForget   = "forget"   // give up address, MAC and name: the guest is to be saved as a substrate. Its card is down afterwards
	OpIdentify = "identify" // take an identity; replies when the card is up with it; Reply.Identity
	OpIdentity = "identity" // Reply.Identity: the one that the guest has
	OpVCPUs    = "vcpus"    // take plugged-in vCPUs into use until so many run; Reply.VCPUs
	OpJob      = "job"      // do a job beside the workload; replies at once, and Message.JobDone follows. One at a time. One with the ID of the job that runs, or ran last, is not done again: its JobDone follows, or is said again
	OpBoot     = "boot"     // Reply.Boot: how it started
	OpUnits    = "units"    // Reply.Units: what systemd-analyze says, once the start is over; an error without systemd
)

// NoMAC is the MAC of a guest that was asked to forget its own.
const NoMAC = "02:00:00:00:00:00"

// An Identity is what tells guests of one image apart. In a request, what is empty stays as it is. A reply's was read back from
// the guest's kernel; what is empty there the guest does not have.
type Identity struct {
	Name      string `json:"name"`                 // host name
	Address   string `json:"address"`              // CIDR, IPv4
	MAC       string `json:"mac"`                  // of the first card, aa:bb:cc:dd:ee:ff
	MachineID string `json:"machine_id,omitempty"` // 32 hexadecimal digits; read from and written to /etc/machine-id where there is one
	BootID    string `json:"boot_id,omitempty"`    // of a reply: /proc/sys/kernel/random/boot_id, which clones have in common
	Seed      uint64 `json:"seed,omitempty"`       // of a request: mixed into the guest's entropy pool, since clones begin with one state of it
}

// A Job is work for so much of the guest's CPU time.
type Job struct {
	ID     int   `json:"id"`
	Work   int64 `json:"work"`             // ns of CPU time
	Memory int64 `json:"memory,omitempty"` // B that it writes first, and holds; checked at its end
}

// JobDone says that a job's work is done.
type JobDone struct {
	ID     int   `json:"id"`
	Worked int64 `json:"worked"`            // ns of CPU time
	Bad    int64 `json:"corrupt,omitempty"` // pages of its memory that did not hold what was written
}

// Boot is how a guest started. Times are its CLOCK_MONOTONIC in ns, which counts from the kernel's begin of timekeeping; a nil is not known.
//
// The kernel stamps its log with another clock, local_clock (printk.c), in µs. LogBound is by how much that clock, compared with
// CLOCK_MONOTONIC when the agent began, may be off. It holds for lines after the kernel chose its clock source, as the last one
// is; the two clocks may drift by parts in 10⁴ from there on. On x86 local_clock stands at 0 until the TSC was calibrated and
// then begins anew, so the first line's time is not known there: the console's first byte tells.
type Boot struct {
	LogBound  int64  `json:"log_bound,omitempty"`  // ns, of Kernel and KernelEnd
	Kernel    *int64 `json:"kernel,omitempty"`     // the kernel's first line, by its own log; nil if it was overwritten, or the log's clock did not run yet
	KernelEnd *int64 `json:"kernel_end,omitempty"` // the kernel's line that it runs init
	Line      string `json:"line,omitempty"`       // that line
	Init      *int64 `json:"init,omitempty"`       // PID 1 began; in a systemd guest, systemd's own stamp (UserspaceTimestampMonotonic)
	Modules   *int64 `json:"modules,omitempty"`    // drivers are loaded
	Network   *int64 `json:"network,omitempty"`    // the address is set and the card is up: the agent has noticed
	// NetworkBegin is when that was not so yet: the agent had not set the address. nil where something else sets it.
	NetworkBegin *int64 `json:"network_begin,omitempty"`
	Agent        *int64 `json:"agent,omitempty"` // the agent began to serve
}

// Units is what systemd says of its start.
type Units struct {
	Stages  map[string]int64 `json:"stages"`             // ns by stage: firmware, loader, kernel, initrd, userspace; one that is not there was not, or is not known
	Units   []Unit           `json:"units"`              // in order of Active
	LeftOut int              `json:"left_out,omitempty"` // units that became active too, and are not listed: they took no time and are no target, or too many were there
}

// A Unit of systemd became active.
type Unit struct {
	Name       string `json:"name"`
	Active     int64  `json:"active"`               // ns, monotonic: ActiveEnterTimestampMonotonic
	Activating int64  `json:"activating,omitempty"` // ns that it took from InactiveExitTimestampMonotonic
}

// ConsoleMark begins the line that the agent writes to the console, once, as its first act: PID 1 runs.
const ConsoleMark = "virtscope-init:"

// A Workload is what the guest does during the trial.
type Workload struct {
	Kind  string     `json:"kind"`            // idle, dirty, cpu, disk, net, kv, redis, replay, mix
	Parts []Workload `json:"parts,omitempty"` // of mix: kinds other than mix, each at most once

	Rate            float64      `json:"rate,omitempty"`            // B/s of pages touched (dirty); 0 is as fast as it can
	WorkingSet      int64        `json:"working_set,omitempty"`     // B (dirty, replay)
	Pattern         string       `json:"pattern,omitempty"`         // sequential, random, hot-spot, zipf; of disk: sequential, random
	HotShare        float64      `json:"hot_share,omitempty"`       // of the pages that are hot; 0 is 0.1
	HotWrites       *float64     `json:"hot_writes,omitempty"`      // share of the writes that go to hot pages; nil is 0.9
	Zipf            float64      `json:"zipf,omitempty"`            // exponent; 0 is 0.99
	Compressibility float64      `json:"compressibility,omitempty"` // 0 (random bytes) to 1 (constant bytes): share of each page that is constant
	WriteSize       int64        `json:"write_size,omitempty"`      // B written in one run of neighbouring pages; 0 is a page
	DeltaSize       int64        `json:"delta_size,omitempty"`      // B of a page that change when it is written again; 0 is all
	Trace           []TracePoint `json:"trace,omitempty"`           // replay: in order of time, the first at 0; the last one's time is the period
	Threads         int          `json:"threads,omitempty"`         // cpu: busy threads; 0 is one per CPU
	Load            float64      `json:"load,omitempty"`            // cpu: share of each thread that is busy, 0–1; 0 is 1
	Seed            uint64       `json:"seed,omitempty"`

	Block        int64 `json:"block,omitempty"`         // disk: B of a write
	Area         int64 `json:"area,omitempty"`          // disk: B from its begin that are written; 0 is all
	ResponseSize int64 `json:"response_size,omitempty"` // net: B of the answer to a request (see LoadPort)
	Keys         int   `json:"keys,omitempty"`          // kv: filled in before it is ready
	ValueSize    int64 `json:"value_size,omitempty"`    // kv: B
}

// A TracePoint is a dirty rate from a time on.
type TracePoint struct {
	At   int64   `json:"at"`   // ns since the trace's begin
	Rate float64 `json:"rate"` // B/s
}

// The TCP and UDP ports at which the guest serves loads.
const (
	RequestPort = 7001 // TCP: a request is its length in B (4 bytes, big endian) and as many bytes; the answer has the same form, ResponseSize long
	StreamPort  = 7002 // UDP: a datagram "rate B/s" starts or renews, for 2 s, a stream to its sender; see StreamHeader
	BulkPort    = 7003 // TCP: the guest sends as fast as the connection takes it, until it is closed
	KVPort      = 6379 // TCP: kv and redis: RESP 2 (redis.io/docs/reference/protocol-spec): PING, GET, SET, DEL, DBSIZE
)

// StreamHeader is what each datagram of a stream begins with: its number from 0 (8 bytes, big endian), and the guest's
// CLOCK_MONOTONIC in ns when it was due (8 bytes, big endian).
const StreamHeader = 16

// Memory is a static region.
type Memory struct {
	Bytes int64  `json:"bytes"`
	Seed  uint64 `json:"seed"`
}

// A Message is anything that the agent says: a reply (ID > 0) or a report (ID 0).
type Message struct {
	ID    int64  `json:"id,omitempty"`
	Error string `json:"error,omitempty"` // of a reply
	Mono  int64  `json:"mono"`            // ns, the guest's CLOCK_MONOTONIC when it spoke

	Hello     *Hello     `json:"hello,omitempty"`
	Heartbeat *Heartbeat `json:"hb,omitempty"`
	TickMiss  *TickMiss  `json:"miss,omitempty"`
	Progress  *Progress  `json:"progress,omitempty"`
	Stall     *DiskStall `json:"stall,omitempty"`
	Disk      *DiskTimes `json:"disk,omitempty"`
	Verdict   *Verdict   `json:"verdict,omitempty"`
	Boot      *Boot      `json:"boot,omitempty"` // said with the first hello, unasked, and on OpBoot
	Identity  *Identity  `json:"identity,omitempty"`
	Given     bool       `json:"given,omitempty"` // of the reply to OpIdentify: Identity was given just now
	VCPUs     int        `json:"vcpus,omitempty"` // that are online
	Asked     int        `json:"asked,omitempty"` // of the reply to OpVCPUs: how many were asked for
	JobDone   *JobDone   `json:"job_done,omitempty"`
	Units     *Units     `json:"units,omitempty"`
	Log       string     `json:"log,omitempty"`
}

// Hello is said at boot, unasked, once the network is up, and on OpHello.
type Hello struct {
	Version     int    `json:"version"`
	Kernel      string `json:"kernel"`      // uname -r
	ClockSource string `json:"clocksource"` // the guest kernel's
	CPUs        int    `json:"cpus"`
	MemoryTotal int64  `json:"memory_total"` // B
	TickNS      int64  `json:"tick_ns"`      // the ticker's interval
	MissNS      int64  `json:"miss_ns"`      // a step longer than this is reported
	BeatNS      int64  `json:"beat_ns"`      // the heartbeat's interval
}

// A Heartbeat comes at a fixed interval of the guest's clock.
type Heartbeat struct {
	Seq     int64 `json:"seq"`      // from 1, no gaps: a missing one was lost
	MaxStep int64 `json:"max_step"` // ns, the ticker's longest step since the last heartbeat
}

// A TickMiss is a step of the ticker that was longer than Hello.MissNS.
type TickMiss struct {
	Start int64 `json:"start"` // ns, guest monotonic: the last tick before
	End   int64 `json:"end"`   // ns: the first tick after
}

// Progress says what the workload did so far. It is reported with each tenth of a second and on OpStop.
type Progress struct {
	Dirtied int64 `json:"dirtied"` // B written since the start, cumulative
	Elapsed int64 `json:"elapsed"` // ns of guest time since the start
	Late    int64 `json:"late"`    // ns that the workload is behind its rate; grows when the guest cannot keep up
	// Asked is what it should have written by now, in B, where its rate is set: a replay's rate varies.
	Asked int64 `json:"asked,omitempty"`
	// Uncounted are the kinds that run and write memory that Dirtied does not count, with commas: every kind of part but cpu.
	// It is set whether or not Parts has news of them.
	Uncounted string `json:"uncounted,omitempty"`
	Parts     []Part `json:"parts,omitempty"` // what else runs: every kind but dirty, replay and idle
}

// A Part is the progress of one kind of workload.
type Part struct {
	Kind  string `json:"kind"`            // cpu, disk, net, kv, redis
	Bytes int64  `json:"bytes,omitempty"` // written (disk) or sent (net), cumulative
	Ops   int64  `json:"ops,omitempty"`   // writes (disk), requests that were answered (net, kv), loops (cpu), cumulative
	Late  int64  `json:"late,omitempty"`  // ns behind its rate
	Error string `json:"error,omitempty"` // why it ended by itself
}

// A DiskStall is a write to the disk that took longer than 50 ms of guest time.
type DiskStall struct {
	Start int64 `json:"start"` // ns, guest monotonic: the write was issued
	End   int64 `json:"end"`   // ns: it was done
}

// DiskTimes are the disk's write latencies of a tenth of a second in which some were done; Counts[i] is how many took less than
// 2^i µs and not less than 2^(i−1) µs.
type DiskTimes struct {
	Counts []int64 `json:"counts"`
	Max    int64   `json:"max"` // ns, exact
}

// A Verdict is the result of OpVerify.
type Verdict struct {
	Verified int64  `json:"verified"`        // B of memory that were checked
	Corrupt  int64  `json:"corrupt"`         // pages of memory whose content is wrong
	First    int64  `json:"first,omitempty"` // index of the first wrong page of memory in its region
	Detail   string `json:"detail,omitempty"`

	DiskVerified int64 `json:"disk_verified,omitempty"` // B of the disk that were read back; 0 if nothing was written to it
	DiskCorrupt  int64 `json:"disk_corrupt,omitempty"`  // pages of the disk's blocks that cannot be read, or hold something else
}
