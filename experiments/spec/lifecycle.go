package spec

// Substrate is a guest that is saved in a host's memory, small and without an identity, from which guests are cloned
// copy-on-write (Wang, Rao, Xu, VEE 2011).
type Substrate struct {
	// Memory that is left to a substrate while it is docked: the rest is taken by the balloon. Default: 96MiB.
	Memory Bytes `yaml:"memory" json:"memory"`
	// VCPUs of a docked substrate; a clone is given guest.vcpus when it is activated. Default: 1.
	VCPUs int `yaml:"vcpus" json:"vcpus" jsonschema:"minimum=1,maximum=255"`
	// Docked: saved (a memory file and the devices' state; activation starts a hypervisor), or spawned (a pool of hypervisors
	// that hold a clone already, stopped; activation lets one go on). Default: saved.
	Docked string `yaml:"docked" json:"docked" jsonschema:"enum=saved,enum=spawned"`
}

// Provision is how a guest's disk comes to the host on which the guest starts.
type Provision struct {
	// Method: present (the disk is there before the action); copy (a full copy of the template); reflink (a copy that shares
	// blocks, where the file system can); overlay (qcow2 over the host's own template); nbd (qcow2 over the image server's
	// template, blocks fetched on demand); tree (as nbd, through image servers that cache, on some of the hosts). Default: present.
	Method string `yaml:"method" json:"method" jsonschema:"enum=present,enum=copy,enum=reflink,enum=overlay,enum=nbd,enum=tree"`
	// From: the template lies on the host itself, or on the image server's host, across its link. It is read by copy. Default: store.
	From string `yaml:"from" json:"from" jsonschema:"enum=host,enum=store"`
	// Fanout is how many hosts, or image servers, ask one image server of a tree. Default: 4.
	Fanout int `yaml:"fanout" json:"fanout" jsonschema:"minimum=1,maximum=1000"`
	// Prefetch brings the blocks that a first boot touched, in one go, before and while nbd and tree fetch on demand: guests
	// of one template touch much the same. Default: false.
	Prefetch bool `yaml:"prefetch,omitempty" json:"prefetch,omitempty"`
}

// Boot starts guests and times each until it is ready.
type Boot struct {
	// Guests that are started, on the testbed's hosts in turn. Default: 1.
	Guests int `yaml:"guests" json:"guests" jsonschema:"minimum=1,maximum=10000"`
	// Hosts that they start on: the first so many of the testbed's. Default: 1.
	Hosts int `yaml:"hosts" json:"hosts" jsonschema:"minimum=1,maximum=1000"`
	// Arrivals: all at once, at a fixed interval, poisson, or as a trace says. Default: at-once.
	Arrivals string `yaml:"arrivals" json:"arrivals" jsonschema:"enum=at-once,enum=fixed,enum=poisson,enum=trace"`
	// Interval between fixed arrivals, and on average between those of poisson. Default: 1s.
	Interval Duration `yaml:"interval" json:"interval"`
	// Trace of arrivals: times from the action's begin, such as 0s, 0.5s, 2s, or a file with one a line, relative to this one, whose
	// name begins with no digit (./7.txt). Required for trace.
	Trace string `yaml:"trace,omitempty" json:"trace,omitempty"`
	// Concurrency is how many guests are on their way at most: a later one waits until one is ready. 0 is all. Default: 0.
	Concurrency int `yaml:"concurrency,omitempty" json:"concurrency,omitempty" jsonschema:"minimum=0,maximum=10000"`
	// Ready is when a guest is ready: its echo, its ssh server's greeting, a TCP port, or a page by HTTP answers the client.
	// Default: echo.
	Ready string `yaml:"ready" json:"ready" jsonschema:"enum=echo,enum=ssh,enum=port,enum=http"`
	// ReadyPort of port and http. Default: 80.
	ReadyPort int `yaml:"ready-port" json:"ready-port" jsonschema:"minimum=1,maximum=65535"`
	// ReadyPath that http asks for: any status below 400 is an answer. Default: /.
	ReadyPath string `yaml:"ready-path" json:"ready-path"`
	// Timeout of all guests; one that is not ready by then is a failed trial. Default: 120s.
	Timeout Duration `yaml:"timeout" json:"timeout"`
}

// Checkpoint saves the running guest, and may bring it back.
type Checkpoint struct {
	// Save is how.
	Save Saving `yaml:"save" json:"save"`
	// Count of checkpoints, one after the other. Default: 1.
	Count int `yaml:"count" json:"count" jsonschema:"minimum=1,maximum=1000"`
	// Interval between their begins. Default: 5s.
	Interval Duration `yaml:"interval" json:"interval"`
	// Restore the last one, after the guest was killed: none, on the same host, or on the other. Default: same.
	Restore string `yaml:"restore" json:"restore" jsonschema:"enum=none,enum=same,enum=other"`
	// Damage is done to the last checkpoint first: its restore must then be refused. Default: none.
	Damage string `yaml:"damage" json:"damage" jsonschema:"enum=none,enum=truncate,enum=flip"`
	// Timeout of each checkpoint and of the restore; longer is a failed trial. Default: 60s.
	Timeout Duration `yaml:"timeout" json:"timeout"`
}

// Saving is how a guest's state is saved.
type Saving struct {
	// Mode: stop (the guest stands still while its memory is written) or live (background-snapshot: it runs on, and pages are
	// written before they change). Default: stop.
	Mode string `yaml:"mode" json:"mode" jsonschema:"enum=stop,enum=live"`
	// Format: stream (a migration stream), mapped-ram (each page at its place in the file), or memory-file (the guest's memory
	// is a file from the boot on, of which a copy is kept). Default: stream.
	Format string `yaml:"format" json:"format" jsonschema:"enum=stream,enum=mapped-ram,enum=memory-file"`
	// To: disk of the guest's host, its memory, or the other host's disk across the link. Default: disk.
	To string `yaml:"to" json:"to" jsonschema:"enum=disk,enum=memory,enum=other"`
	// Compression of a stream as it is written. Default: none.
	Compression string `yaml:"compression" json:"compression" jsonschema:"enum=none,enum=zstd"`
	// Disk: full (a copy of the guest's disk each time) or incremental (the first is full, the next hold what was written
	// since). Read where guest.disk is set. Default: full.
	Disk string `yaml:"disk" json:"disk" jsonschema:"enum=full,enum=incremental"`
	// Load: eager (all memory is read before the guest runs) or on-demand (pages are read as they are touched; it needs
	// memory-file). Default: eager.
	Load string `yaml:"load" json:"load" jsonschema:"enum=eager,enum=on-demand"`
	// Keep is how many checkpoints are kept; older ones go, whole chains at a time. Default: 2.
	Keep int `yaml:"keep" json:"keep" jsonschema:"minimum=1,maximum=1000"`
}

// Recover checkpoints the guest periodically while failures are injected, each of which is detected and recovered from.
type Recover struct {
	// Save is how.
	Save Saving `yaml:"save" json:"save"`
	// Period between the begins of two checkpoints. Default: 5s.
	Period Duration `yaml:"period" json:"period"`
	// Failures that are injected, one after the other. 0 measures what the checkpoints alone cost. Default: 1.
	Failures int `yaml:"failures" json:"failures" jsonschema:"minimum=0,maximum=1000"`
	// Failure: kill-guest (the hypervisor is killed), kill-host (all that runs on the host is) or cut-link (the host's link is
	// cut; the guest there is ended before it starts anew). Default: kill-guest.
	Failure string `yaml:"failure" json:"failure" jsonschema:"enum=kill-guest,enum=kill-host,enum=cut-link"`
	// Every is the time between failures, from the guest's recovery on: fixed, or with arrivals: poisson on average. Default: 8s.
	Every Duration `yaml:"every" json:"every"`
	// Arrivals of failures. Default: poisson.
	Arrivals string `yaml:"arrivals" json:"arrivals" jsonschema:"enum=fixed,enum=poisson"`
	// Detect by: process (the hypervisor's end; not cut-link), heartbeat (of the guest's agent) or echo (from the client).
	// Default: heartbeat.
	Detect string `yaml:"detect" json:"detect" jsonschema:"enum=process,enum=heartbeat,enum=echo"`
	// DetectAfter so much silence the guest counts as failed. Default: 1s.
	DetectAfter Duration `yaml:"detect-after" json:"detect-after"`
	// Restart on the same host, or on the other. Default: same.
	Restart string `yaml:"restart" json:"restart" jsonschema:"enum=same,enum=other"`
	// Timeout of each checkpoint and of each recovery. Default: 60s.
	Timeout Duration `yaml:"timeout" json:"timeout"`
	// For is how long the guest is observed where failures is 0. Default: 20s.
	For Duration `yaml:"for" json:"for"`
}

// Jobs are served by guests that are started on demand.
type Jobs struct {
	// Trace of jobs: small (64 jobs that ship with virtscope), or a file in the Standard Workload Format (Feitelson's Parallel
	// Workloads Archive), relative to this one, whose name begins with no digit: submit time, run time and memory of each. Default: small.
	Trace string `yaml:"trace" json:"trace"`
	// First is how many jobs of the trace are taken. 0 is all. Default: 0.
	First int `yaml:"first,omitempty" json:"first,omitempty" jsonschema:"minimum=0,maximum=100000"`
	// TimeScale multiplies the trace's times. Default: 1.
	TimeScale float64 `yaml:"time-scale" json:"time-scale" jsonschema:"exclusiveMinimum=0,maximum=1000"`
	// Cap is how many guests there are at most. Default: 4.
	Cap int `yaml:"cap" json:"cap" jsonschema:"minimum=1,maximum=1000"`
	// KeepAlive is how long a guest without a job waits for one. Default: 5s.
	KeepAlive Duration `yaml:"keep-alive" json:"keep-alive"`
	// Preempt: none, or checkpoint: at the cap a job of a lower queue number (SWF field 15) takes the guest of one of a higher, which is
	// checkpointed and goes on later. Default: none.
	Preempt string `yaml:"preempt" json:"preempt" jsonschema:"enum=none,enum=checkpoint"`
	// Hosts that guests start on. Default: 1.
	Hosts int `yaml:"hosts" json:"hosts" jsonschema:"minimum=1,maximum=1000"`
	// Timeout of the whole trace. Default: 120s.
	Timeout Duration `yaml:"timeout" json:"timeout"`
}
