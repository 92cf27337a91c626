// Package agent is the protocol between the controller and the agent in a guest: one JSON object a line,
// over a channel that is not the measured network. It imports only the standard library, so that the
// guest's init can use it.
package agent

// Version is the protocol's version. The agent's hello carries it.
const Version = 1

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
}

// What can be asked.
const (
	OpHello   = "hello"   // Reply.Hello
	OpReserve = "reserve" // fill static memory with a known pattern, to be verified later
	OpStart   = "start"   // start the workload; replies when its working set was filled and it runs
	OpStop    = "stop"    // stop the workload; Reply.Progress
	OpVerify  = "verify"  // verify all memory that the agent wrote; Reply.Verdict. The workload must be stopped.
)

// A Workload is what the guest does during the trial.
type Workload struct {
	Kind            string  `json:"kind"`                      // idle, dirty, cpu
	Rate            float64 `json:"rate,omitempty"`            // B/s written (dirty); 0 is as fast as it can
	WorkingSet      int64   `json:"working_set,omitempty"`     // B
	Pattern         string  `json:"pattern,omitempty"`         // sequential, random, hot-spot (90 % of writes to 10 % of the pages)
	Compressibility float64 `json:"compressibility,omitempty"` // 0 (random bytes) to 1 (constant bytes): share of each page that is constant
	Threads         int     `json:"threads,omitempty"`         // cpu: busy threads; 0 is one per CPU
	Load            float64 `json:"load,omitempty"`            // cpu: share of each thread that is busy, 0–1; 0 is 1
	Seed            uint64  `json:"seed,omitempty"`
}

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
	Verdict   *Verdict   `json:"verdict,omitempty"`
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
}

// A Verdict is the result of OpVerify.
type Verdict struct {
	Verified int64  `json:"verified"`        // B that were checked
	Corrupt  int64  `json:"corrupt"`         // pages whose content is wrong
	First    int64  `json:"first,omitempty"` // index of the first wrong page in its region
	Detail   string `json:"detail,omitempty"`
}
