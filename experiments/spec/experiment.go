package spec

// An Experiment is one YAML file. Every field has a default except those marked required.
type Experiment struct {
	// Version of this language. Required: 1.
	Virtscope int `yaml:"virtscope" json:"virtscope" jsonschema:"minimum=1,maximum=1,required"`
	// Name of the experiment: lower-case letters, digits and hyphens. Required.
	Name string `yaml:"name" json:"name"`
	// Question that the experiment answers, in a sentence.
	Question string `yaml:"question,omitempty" json:"question,omitempty"`
	// Paper whose experiment this one repeats: its figures stand beside what is measured. A file with factors of its own does not
	// inherit it. Default: none.
	Paper *Paper `yaml:"paper,omitempty" json:"paper,omitempty"`
	// Extends names another experiment file, relative to this one, whose values this one overrides.
	Extends string `yaml:"extends,omitempty" json:"extends,omitempty"`

	// Scale multiplies every amount and every rate of data of this file (memory, working set, disk, rates of workloads, links
	// and limits, caches), so that times stay as they are: a laptop runs a set for large machines at a scale of 0.1. Counts and
	// the sizes of single writes, blocks, requests and values stay too. Names of treatments keep the amounts of the file.
	// Default: 1.
	Scale float64 `yaml:"scale" json:"scale" jsonschema:"exclusiveMinimum=0,maximum=1000"`

	// Testbed is where the trials run.
	Testbed Testbed `yaml:"testbed" json:"testbed"`
	// Guest is what is booted.
	Guest Guest `yaml:"guest" json:"guest"`
	// Provision is how a guest's disk comes to its host.
	Provision Provision `yaml:"provision" json:"provision"`
	// Workload is what the guest does.
	Workload Workload `yaml:"workload" json:"workload"`
	// Action is what is measured. Required.
	Action Action `yaml:"action" json:"action"`
	// Probes are what observes.
	Probes Probes `yaml:"probes" json:"probes"`

	// Factors maps dotted paths of this file to their levels; the trials are the full cross product.
	Factors Factors `yaml:"factors,omitempty" json:"factors,omitempty"`
	// Exclude leaves out treatments: each entry maps factors to a level, or a list of levels, that together are not run.
	Exclude []map[string]any `yaml:"exclude,omitempty" json:"exclude,omitempty"`
	// Builds maps names, two or more, to values by dotted path that each sets over this file's: what is compared, such as two
	// QEMU binaries. The factor build has the names for levels. Within each replicate of a treatment all builds run one after the
	// other, forth in one replicate and back in the next (A B, B A).
	Builds Builds `yaml:"builds,omitempty" json:"builds,omitempty"`
	// Noise is how much may go on at the machine while a trial is measured.
	Noise Noise `yaml:"noise" json:"noise"`
	// Replicates of each treatment. Default: 1.
	Replicates int `yaml:"replicates" json:"replicates" jsonschema:"minimum=1,maximum=10000"`
	// StopWhen leaves out the replicates of a treatment that are not needed: its trials end once one metric is known well enough, and
	// replicates is the most that are run. Builds of one treatment end together. Default: none.
	StopWhen *StopWhen `yaml:"stop-when,omitempty" json:"stop-when,omitempty"`
	// Plots are the figures of all trials in the report. Default: chosen from the factors.
	Plots []Plot `yaml:"plots,omitempty" json:"plots,omitempty"`
	// Order of the trials.
	Order Order `yaml:"order" json:"order"`

	// Influx is where virtscope run --influx ships the records to; docs/influx-ship.md has more. Default: none.
	Influx *Influx `yaml:"influx,omitempty" json:"influx,omitempty"`

	// Warmup is how long the workload runs before the baseline. Default: 1s.
	Warmup Duration `yaml:"warmup" json:"warmup"`
	// Baseline is how long the undisturbed guest is observed before the action: the noise floor. Default: 2s.
	Baseline Duration `yaml:"baseline" json:"baseline"`
	// Quiesce is how long the guest is observed after the action. Default: 1s.
	Quiesce Duration `yaml:"quiesce" json:"quiesce"`
	// Timeout of one trial, boot and tear-down included. Default: 6m.
	Timeout Duration `yaml:"timeout" json:"timeout"`
	// Retries of a trial that was invalid (our fault). A failed trial is data and is not retried. Default: 1.
	Retries *int `yaml:"retries,omitempty" json:"retries,omitempty" jsonschema:"minimum=0,maximum=100"`

	sources      []Source        // the files that it was read from
	metricPlaces map[int]Problem // where plots name metrics
	stopPlace    Problem         // where stop-when names one
}

// Testbed is hosts, a client and, where it is needed, an image server's host (store), joined by a switch.
type Testbed struct {
	// Kind of testbed. Default: local (network namespaces of this machine).
	Kind string `yaml:"kind" json:"kind" jsonschema:"enum=local"`
	// Hosts for guests: src, dst, host3 and so on. Default: 2.
	Hosts int `yaml:"hosts" json:"hosts" jsonschema:"minimum=2,maximum=1000"`
	// Link of each host to the switch; it carries the guest's traffic.
	Link Link `yaml:"link" json:"link"`
	// MigrationLink is a link of its own for the migration. Without it, the migration shares the link above.
	MigrationLink *Link `yaml:"migration-link,omitempty" json:"migration-link,omitempty"`
	// Client is where the echo and load client runs: on a third host, or on the source's or destination's host. Default: third.
	Client string `yaml:"client" json:"client" jsonschema:"enum=third,enum=source,enum=destination"`
	// Emulator of delay, jitter and loss: the kernel's netem, virtscope's own frame relay, or auto (netem where the kernel
	// has it, else the relay). Default: auto.
	Emulator string `yaml:"emulator" json:"emulator" jsonschema:"enum=auto,enum=netem,enum=relay"`
	// CrossTraffic shares the migration's link with it.
	CrossTraffic *CrossTraffic `yaml:"cross-traffic,omitempty" json:"cross-traffic,omitempty"`
}

// CrossTraffic is what else passes the links that the migration takes.
type CrossTraffic struct {
	// Kind: constant-rate UDP datagrams, or bulk TCP that takes what it gets. Default: udp.
	Kind string `yaml:"kind" json:"kind" jsonschema:"enum=udp,enum=tcp"`
	// Rate of all flows together; for tcp the most that they send. Required for udp. Default: not limited.
	Rate Rate `yaml:"rate,omitempty" json:"rate,omitempty"`
	// Flows side by side. Default: 1.
	Flows int `yaml:"flows" json:"flows" jsonschema:"minimum=1,maximum=256"`
	// Direction: forward is from source to destination, as the migration. Default: forward.
	Direction string `yaml:"direction" json:"direction" jsonschema:"enum=forward,enum=reverse,enum=both"`
}

// Link shapes both directions of a link.
type Link struct {
	// Profile sets what this link does not: lan-1g (1Gbit/s), lan-10g (10Gbit/s), wan (100Mbit/s, delay 12.5ms, jitter 1ms,
	// loss 0.0001: a round trip of 50ms between two hosts). Default: custom (nothing).
	Profile string `yaml:"profile" json:"profile" jsonschema:"enum=custom,enum=lan-1g,enum=lan-10g,enum=wan"`
	// Rate limit, such as 1Gbit/s. Default: not limited.
	Rate Rate `yaml:"rate,omitempty" json:"rate,omitempty"`
	// Queue is how much a rate limit may hold back before it drops, as time at the rate. Default: 50ms.
	Queue Duration `yaml:"queue" json:"queue"`
	// Upload is what a host may send, where it differs from rate, which then is what it may receive: an asymmetric link. Default: rate.
	Upload Rate `yaml:"upload,omitempty" json:"upload,omitempty"`
	// Delay added in each direction; between two hosts lie two links. Default: 0.
	Delay Duration `yaml:"delay,omitempty" json:"delay,omitempty"`
	// Jitter of the delay, evenly either way. Default: 0.
	Jitter Duration `yaml:"jitter,omitempty" json:"jitter,omitempty"`
	// Loss of frames, from 0 to 1. Default: 0.
	Loss float64 `yaml:"loss,omitempty" json:"loss,omitempty" jsonschema:"minimum=0,maximum=1"`
	// DownFor is how long the source's end of this link is cut, once in a trial; 0 never. Default: 0.
	DownFor Duration `yaml:"down-for,omitempty" json:"down-for,omitempty"`
	// DownAfter is the time from down-when until the cut. Default: 0.
	DownAfter Duration `yaml:"down-after,omitempty" json:"down-after,omitempty"`
	// DownWhen counts from the begin of the action, or of post-copy, when the guest runs at the destination. Default: action.
	DownWhen string `yaml:"down-when" json:"down-when" jsonschema:"enum=action,enum=postcopy"`
}

// Guest is a virtual machine.
type Guest struct {
	// Driver that makes the guest. Default: qemu. The scripted driver has no hypervisor: it is the ground truth of the instruments.
	Driver string `yaml:"driver" json:"driver" jsonschema:"enum=qemu,enum=scripted"`
	// Memory of the guest. Default: 256MiB.
	Memory Bytes `yaml:"memory" json:"memory"`
	// VCPUs of the guest. Default: 1.
	VCPUs int `yaml:"vcpus" json:"vcpus" jsonschema:"minimum=1,maximum=255"`
	// Start: cold (it boots), warm (it is booted once for each configuration, saved, and restored for each trial), or substrate
	// (it is cloned from one that is saved in the host's memory; of actions boot and jobs). Default: cold.
	Start string `yaml:"start" json:"start" jsonschema:"enum=cold,enum=warm,enum=substrate"`
	// Substrate is what guests of start: substrate are cloned from.
	Substrate Substrate `yaml:"substrate" json:"substrate"`
	// Image that it boots: builtin (virtscope's own init in an initramfs), debian (a Debian with systemd and an ssh server on a
	// disk, made by virtscope), or the path of a raw or qcow2 image with cloud-init. Default: builtin.
	Image string `yaml:"image" json:"image"`
	// User that may log in by ssh at a path's image, with the key of the run. Default: debian.
	User string `yaml:"user" json:"user"`
	// Boot: kernel (the bzImage's own entry), pvh (the uncompressed kernel's) or firmware (the loader on its disk). Default: kernel.
	Boot string `yaml:"boot" json:"boot" jsonschema:"enum=kernel,enum=pvh,enum=firmware"`
	// Firmware of boot: firmware: bios (SeaBIOS) or uefi (OVMF). Default: bios.
	Firmware string `yaml:"firmware" json:"firmware" jsonschema:"enum=bios,enum=uefi"`
	// HugePages that back its memory: none, 2MiB or 1GiB, which the host must have set aside. Default: none.
	HugePages string `yaml:"huge-pages" json:"huge-pages" jsonschema:"enum=none,enum=2MiB,enum=1GiB"`
	// Prealloc touches all its memory before it starts. Default: false.
	Prealloc bool `yaml:"prealloc,omitempty" json:"prealloc,omitempty"`
	// Kernel image (bzImage). Default: the newest readable /boot/vmlinuz-*.
	Kernel string `yaml:"kernel,omitempty" json:"kernel,omitempty"`
	// Accel is the accelerator. Default: auto (KVM where stock guests run under it, else TCG).
	Accel string `yaml:"accel" json:"accel" jsonschema:"enum=auto,enum=kvm,enum=tcg"`
	// QEMU is for the qemu driver alone.
	QEMU QEMU `yaml:"qemu" json:"qemu"`
	// Check is how much guest memory holds a known pattern that is verified after the action. Default: 16MiB.
	Check Bytes `yaml:"check" json:"check"`
	// Disk of the guest. Without it, the guest has none.
	Disk *Disk `yaml:"disk,omitempty" json:"disk,omitempty"`
}

// Disk is the guest's virtual disk.
type Disk struct {
	// Size of the disk. Default: 256MiB.
	Size Bytes `yaml:"size" json:"size"`
	// Filled is the share of the disk that holds random data when the guest boots. Default: 1.
	Filled float64 `yaml:"filled" json:"filled" jsonschema:"minimum=0,maximum=1"`
	// Format of its image. Default: raw.
	Format string `yaml:"format" json:"format" jsonschema:"enum=raw,enum=qcow2"`
	// Storage: shared by both hosts, or local to each, so that a migration moves the disk too. Default: local.
	Storage string `yaml:"storage" json:"storage" jsonschema:"enum=local,enum=shared"`
}

// QEMU is what only QEMU knows.
type QEMU struct {
	// Binary to run. Default: qemu-system-x86_64.
	Binary string `yaml:"binary" json:"binary"`
	// Machine type. Default: q35.
	Machine string `yaml:"machine" json:"machine"`
	// DestinationBinary to run at the destination. Default: binary.
	DestinationBinary string `yaml:"destination-binary,omitempty" json:"destination-binary,omitempty"`
	// DirtyRing is the size of KVM's dirty ring in pages, a power of two; 0 is the dirty bitmap. Needs kvm. Default: 0.
	DirtyRing int `yaml:"dirty-ring,omitempty" json:"dirty-ring,omitempty" jsonschema:"minimum=0,maximum=65536"`
}

// Workload is what runs in the guest from the warm-up on.
type Workload struct {
	// Kind of workload: dirty writes memory, cpu computes, disk writes the guest's disk, net serves a network load, kv is a
	// small key-value server, redis is redis-server from Debian's packages, replay dirties memory along a trace, mix is
	// several of these at once. Default: idle.
	Kind string `yaml:"kind" json:"kind" jsonschema:"enum=idle,enum=dirty,enum=cpu,enum=disk,enum=net,enum=kv,enum=redis,enum=replay,enum=mix"`
	// Mix is the kinds that run at once, such as dirty+kv. Required for mix.
	Mix string `yaml:"mix,omitempty" json:"mix,omitempty"`
	// Rate at which dirty writes memory, such as 8MiB/s: pages that are touched count whole. Required for dirty.
	Rate Rate `yaml:"rate,omitempty" json:"rate,omitempty"`
	// WorkingSet that dirty and replay write to. Default: 32MiB.
	WorkingSet Bytes `yaml:"working-set" json:"working-set"`
	// Pattern in which dirty and replay choose pages. A hot-spot has hot-writes of the writes on hot-share of the pages; zipf
	// chooses page n with a probability in proportion to n^-zipf. Default: sequential.
	Pattern string `yaml:"pattern" json:"pattern" jsonschema:"enum=sequential,enum=random,enum=hot-spot,enum=zipf"`
	// HotShare is the share of the pages that are hot. Default: 0.1.
	HotShare float64 `yaml:"hot-share" json:"hot-share" jsonschema:"exclusiveMinimum=0,maximum=1"`
	// HotWrites is the share of the writes that go to hot pages. Default: 0.9.
	HotWrites float64 `yaml:"hot-writes" json:"hot-writes" jsonschema:"minimum=0,maximum=1"`
	// Zipf is the exponent of the pattern zipf. Default: 0.99.
	Zipf float64 `yaml:"zipf" json:"zipf" jsonschema:"exclusiveMinimum=0,maximum=5"`
	// Compressibility of what dirty and replay write, from 0 (random) to 1 (constant). Default: 0.
	Compressibility float64 `yaml:"compressibility,omitempty" json:"compressibility,omitempty" jsonschema:"minimum=0,maximum=1"`
	// WriteSize is how much dirty and replay write in one run of neighbouring pages. Default: 4KiB.
	WriteSize Bytes `yaml:"write-size" json:"write-size"`
	// DeltaSize is how much of each page changes when it is written again, which XBZRLE feeds on. Default: 4KiB (all of it).
	DeltaSize Bytes `yaml:"delta-size" json:"delta-size"`
	// Trace is what replay follows: times from its start with dirty rates, such as 0s 4MiB/s, 2s 16MiB/s, 5s; it begins again
	// at the end, which is its last time and needs no rate. virtscope trace prints one from a trial. Required for replay.
	Trace string `yaml:"trace,omitempty" json:"trace,omitempty"`
	// Threads that cpu keeps busy. Default: one per vCPU.
	Threads int `yaml:"threads,omitempty" json:"threads,omitempty" jsonschema:"minimum=0,maximum=1024"`
	// Load of each of the cpu workload's threads, from above 0 to 1. Default: 1.
	Load float64 `yaml:"load" json:"load" jsonschema:"exclusiveMinimum=0,maximum=1"`
	// Disk is what disk does. It needs guest.disk.
	Disk DiskLoad `yaml:"disk" json:"disk"`
	// Net is what net serves, and the client asks.
	Net NetLoad `yaml:"net" json:"net"`
	// KV is what the client asks of kv and redis.
	KV KVLoad `yaml:"kv" json:"kv"`
}

// DiskLoad writes the guest's disk, past its page cache.
type DiskLoad struct {
	// Rate of writing. Default: 4MiB/s.
	Rate Rate `yaml:"rate" json:"rate"`
	// Block is the size of a write. Default: 64KiB.
	Block Bytes `yaml:"block" json:"block"`
	// Pattern in which blocks are chosen. Default: random.
	Pattern string `yaml:"pattern" json:"pattern" jsonschema:"enum=sequential,enum=random"`
	// Area of the disk that is written, from its begin; 0 is all. Default: 0.
	Area Bytes `yaml:"area,omitempty" json:"area,omitempty"`
}

// NetLoad is traffic between the client and the guest.
type NetLoad struct {
	// Kind: request (open-loop requests of the client), stream (constant bit rate from the guest, as video) or bulk (TCP from
	// the guest, as fast as it goes). Default: request.
	Kind string `yaml:"kind" json:"kind" jsonschema:"enum=request,enum=stream,enum=bulk"`
	// Requests a second. Default: 200.
	Requests int `yaml:"requests" json:"requests" jsonschema:"minimum=1,maximum=1000000"`
	// RequestSize of each request. Default: 128B.
	RequestSize Bytes `yaml:"request-size" json:"request-size"`
	// ResponseSize of each answer. Default: 1KiB.
	ResponseSize Bytes `yaml:"response-size" json:"response-size"`
	// Rate of stream. Default: 4Mbit/s.
	Rate Rate `yaml:"rate" json:"rate"`
	// PlayerBuffer is how much the stream's player holds before it plays, and again after it ran dry. Default: 500ms.
	PlayerBuffer Duration `yaml:"player-buffer" json:"player-buffer"`
}

// KVLoad is an open-loop load: a request is due at its time, whether or not those before it were answered, and its latency
// counts from then.
type KVLoad struct {
	// Requests a second. Default: 500.
	Requests int `yaml:"requests" json:"requests" jsonschema:"minimum=1,maximum=1000000"`
	// Arrivals of requests. Default: poisson.
	Arrivals string `yaml:"arrivals" json:"arrivals" jsonschema:"enum=poisson,enum=fixed"`
	// Keys that are asked for. Default: 10000.
	Keys int `yaml:"keys" json:"keys" jsonschema:"minimum=1,maximum=100000000"`
	// ValueSize of each. Default: 1KiB.
	ValueSize Bytes `yaml:"value-size" json:"value-size"`
	// Gets is the share of requests that read; the others write. Default: 0.9.
	Gets float64 `yaml:"gets" json:"gets" jsonschema:"minimum=0,maximum=1"`
	// Pattern in which keys are chosen. Default: zipf (exponent 0.99).
	Pattern string `yaml:"pattern" json:"pattern" jsonschema:"enum=uniform,enum=zipf"`
	// Connections of the client. Default: 4.
	Connections int `yaml:"connections" json:"connections" jsonschema:"minimum=1,maximum=1024"`
	// Benchmark runs redis-benchmark against redis too, over the whole observation, for its own figures. Default: false.
	Benchmark bool `yaml:"benchmark,omitempty" json:"benchmark,omitempty"`
}

// Action is what is done to the guest, or to guests: exactly one of its fields.
type Action struct {
	// Migrate the guest from src to dst.
	Migrate *Migrate `yaml:"migrate,omitempty" json:"migrate,omitempty"`
	// Boot guests, and time them until they are ready.
	Boot *Boot `yaml:"boot,omitempty" json:"boot,omitempty"`
	// Checkpoint the guest on src, and restore it.
	Checkpoint *Checkpoint `yaml:"checkpoint,omitempty" json:"checkpoint,omitempty"`
	// Recover the guest from injected failures, by periodic checkpoints.
	Recover *Recover `yaml:"recover,omitempty" json:"recover,omitempty"`
	// Jobs of a trace are served by guests that start on demand.
	Jobs *Jobs `yaml:"jobs,omitempty" json:"jobs,omitempty"`
}

// Migrate is a live migration.
type Migrate struct {
	// Algorithm: precopy; postcopy (post-copy from the start); hybrid (pre-copy rounds, then post-copy); xbzrle, multifd,
	// compress, auto-converge and dirty-limit (pre-copy with that capability of QEMU); stop-and-copy (pause, copy, resume);
	// mapped-ram (live to a file that both hosts share, then from it); background-snapshot (to a file, and the guest runs
	// on where it is). What both hypervisors cannot do is refused before anything starts. Default: precopy.
	Algorithm string `yaml:"algorithm" json:"algorithm" jsonschema:"enum=precopy,enum=postcopy,enum=hybrid,enum=xbzrle,enum=multifd,enum=compress,enum=auto-converge,enum=dirty-limit,enum=stop-and-copy,enum=mapped-ram,enum=background-snapshot"`
	// MaxBandwidth that the hypervisor may use. Default: not limited.
	MaxBandwidth Rate `yaml:"max-bandwidth,omitempty" json:"max-bandwidth,omitempty"`
	// DowntimeLimit is the longest stop-and-copy that the source may plan. Default: 300ms.
	DowntimeLimit Duration `yaml:"downtime-limit" json:"downtime-limit"`
	// MaxRounds of pre-copy; more is a failed trial (did not converge). Default: 30.
	MaxRounds int `yaml:"max-rounds" json:"max-rounds" jsonschema:"minimum=1,maximum=1000000"`
	// Timeout of the migration; longer is a failed trial. Default: 60s.
	Timeout Duration `yaml:"timeout" json:"timeout"`

	// PostcopyStart is when postcopy and hybrid switch: at-once, after a number of rounds (such as 2 rounds), after a time
	// (such as 3s), or not-converging (a round begins with at least 90 % of what the one before began with).
	// Default: at-once for postcopy, 1 round for hybrid.
	PostcopyStart string `yaml:"postcopy-start,omitempty" json:"postcopy-start,omitempty"`
	// PostcopyPreempt gives urgent pages a connection of their own. Default: false.
	PostcopyPreempt bool `yaml:"postcopy-preempt,omitempty" json:"postcopy-preempt,omitempty"`
	// PostcopyBandwidth limits what post-copy sends unasked. Default: not limited.
	PostcopyBandwidth Rate `yaml:"postcopy-bandwidth,omitempty" json:"postcopy-bandwidth,omitempty"`
	// PostcopyRecovery pauses a post-copy that moves nothing for this long, and recovers it once the link is back; 0 never
	// does. Default: 0.
	PostcopyRecovery Duration `yaml:"postcopy-recovery,omitempty" json:"postcopy-recovery,omitempty"`
	// PauseAfterRounds stops the guest after so many rounds and copies the rest; 0 never does. Default: 0.
	PauseAfterRounds int `yaml:"pause-after-rounds,omitempty" json:"pause-after-rounds,omitempty" jsonschema:"minimum=0,maximum=1000000"`
	// XBZRLECache of pages that were sent: a power of two. Default: 64MiB.
	XBZRLECache Bytes `yaml:"xbzrle-cache" json:"xbzrle-cache"`
	// Channels of multifd. Default: 2.
	Channels int `yaml:"channels" json:"channels" jsonschema:"minimum=1,maximum=255"`
	// Compression of multifd. Default: none.
	Compression string `yaml:"compression" json:"compression" jsonschema:"enum=none,enum=zlib,enum=zstd"`
	// CompressionLevel of compress and of multifd's compression. Default: 1.
	CompressionLevel int `yaml:"compression-level" json:"compression-level" jsonschema:"minimum=0,maximum=20"`
	// CompressThreads of compress at the source. Default: 2.
	CompressThreads int `yaml:"compress-threads" json:"compress-threads" jsonschema:"minimum=1,maximum=255"`
	// DecompressThreads of compress at the destination. Default: 2.
	DecompressThreads int `yaml:"decompress-threads" json:"decompress-threads" jsonschema:"minimum=1,maximum=255"`
	// ThrottleInitial is the first share of CPU time in percent that auto-converge takes from the guest. Default: 20.
	ThrottleInitial int `yaml:"throttle-initial" json:"throttle-initial" jsonschema:"minimum=1,maximum=99"`
	// ThrottleIncrement is what it adds each time that it does not converge, in percent points. Default: 10.
	ThrottleIncrement int `yaml:"throttle-increment" json:"throttle-increment" jsonschema:"minimum=1,maximum=99"`
	// ThrottleMax is the most that it takes. Default: 99.
	ThrottleMax int `yaml:"throttle-max" json:"throttle-max" jsonschema:"minimum=1,maximum=99"`
	// DirtyLimit of each vCPU under dirty-limit, in whole MiB/s. Default: 1MiB/s.
	DirtyLimit Rate `yaml:"dirty-limit" json:"dirty-limit"`
	// DirtyLimitPeriod in which dirty-limit measures. Default: 1s.
	DirtyLimitPeriod Duration `yaml:"dirty-limit-period" json:"dirty-limit-period"`
	// ReturnPath opens the destination's channel back to the source. Default: false.
	ReturnPath bool `yaml:"return-path,omitempty" json:"return-path,omitempty"`
	// SwitchoverAck lets the destination say when the source may stop the guest. It needs return-path. Default: false.
	SwitchoverAck bool `yaml:"switchover-ack,omitempty" json:"switchover-ack,omitempty"`
	// ZeroPageDetection: where zero pages are found; default is QEMU's own. Default: default.
	ZeroPageDetection string `yaml:"zero-page-detection" json:"zero-page-detection" jsonschema:"enum=default,enum=none,enum=legacy,enum=multifd"`
	// TLS encrypts the migration, with keys made for the run. Default: false.
	TLS bool `yaml:"tls,omitempty" json:"tls,omitempty"`
	// DiskCopy of a local disk: mirror (NBD and blockdev-mirror), or incremental (the disk's state at boot is at the
	// destination already: a dirty bitmap says what is copied since). Default: mirror.
	DiskCopy string `yaml:"disk-copy" json:"disk-copy" jsonschema:"enum=mirror,enum=incremental"`
	// DiskWrites during a mirror: background (copied later) or write-blocking (a guest's write waits for the copy). Default: background.
	DiskWrites string `yaml:"disk-writes" json:"disk-writes" jsonschema:"enum=background,enum=write-blocking"`
	// DiskBandwidth that the copy of the disk may use. Default: not limited.
	DiskBandwidth Rate `yaml:"disk-bandwidth,omitempty" json:"disk-bandwidth,omitempty"`
	// CancelAfter cancels the migration after this time, which then is what is measured; 0 never does. Default: 0.
	CancelAfter Duration `yaml:"cancel-after,omitempty" json:"cancel-after,omitempty"`
	// KillDestinationAfter kills the destination's hypervisor after this time: the guest must live on at the source, or, in
	// post-copy, is lost; 0 never does. Default: 0.
	KillDestinationAfter Duration `yaml:"kill-destination-after,omitempty" json:"kill-destination-after,omitempty"`
	// QEMU passes through what virtscope does not know, with a warning.
	QEMU Passthrough `yaml:"qemu,omitempty" json:"qemu,omitempty"`
	// Outage that the scripted driver makes. Only for guest.driver: scripted.
	Outage Duration `yaml:"outage,omitempty" json:"outage,omitempty"`
}

// Passthrough is set on both QEMUs as it stands, for a patched QEMU. A factor may name one, such as
// action.migrate.qemu.parameters.x-my-knob.
type Passthrough struct {
	// Capabilities by QEMU's name: true or false.
	Capabilities Settings `yaml:"capabilities,omitempty" json:"capabilities,omitempty" jsonschema:"enum=true,enum=false"`
	// Parameters by QEMU's name.
	Parameters Settings `yaml:"parameters,omitempty" json:"parameters,omitempty"`
}

// Settings maps names to values, as the file writes them.
type Settings map[string]string

// Probes are what observes a trial.
type Probes struct {
	// Capture of packets at the switch and at each host's tap.
	Capture Capture `yaml:"capture" json:"capture"`
	// Echo sends UDP probes from the client to the guest.
	Echo Echo `yaml:"echo" json:"echo"`
	// Usage samples CPU, memory, disk and network of the hosts and of the hypervisor's processes and threads.
	Usage Usage `yaml:"usage" json:"usage"`
	// Energy samples the machine's energy counters (RAPL) where it has them.
	Energy Energy `yaml:"energy,omitempty" json:"energy,omitempty"`
	// Load is the client of workloads that serve one.
	Load LoadProbe `yaml:"load" json:"load"`
}

// LoadProbe is the client of net, kv and redis.
type LoadProbe struct {
	// Bin over which latencies and throughput are summed up. Default: 100ms.
	Bin Duration `yaml:"bin" json:"bin"`
}

// Capture is passive packet capture.
type Capture struct {
	// Keep the switch's frames as pcapng in the trial's folder: none, headers (128 B a frame) or whole. Default: none.
	Keep string `yaml:"keep" json:"keep" jsonschema:"enum=none,enum=headers,enum=whole"`
	// Decode the hypervisor's migration stream as it passes the switch: rounds, pages, stop and resume, independent of the hypervisor's word. The scripted driver has none. Default: true.
	Decode *bool `yaml:"decode,omitempty" json:"decode,omitempty"`
}

// Echo is a train of UDP probes.
type Echo struct {
	// Interval between probes. Default: 2ms.
	Interval Duration `yaml:"interval" json:"interval"`
}

// Usage is sampled at a fixed interval.
type Usage struct {
	// Interval between samples. Default: 100ms.
	Interval Duration `yaml:"interval" json:"interval"`
}

// Energy is sampled at a fixed interval.
type Energy struct {
	// Interval between samples; 0 turns the probe off. Default: 0.
	Interval Duration `yaml:"interval,omitempty" json:"interval,omitempty"`
}

// Order is the order in which the trials run.
type Order struct {
	// Shuffle the trials (within blocks, if any). Default: true.
	Shuffle *bool `yaml:"shuffle,omitempty" json:"shuffle,omitempty"`
	// Seed of the shuffle: the same file and seed give the same order. Default: 1.
	Seed uint64 `yaml:"seed" json:"seed"`
	// BlockBy runs all trials of one value before the next: replicate, or the path of a factor. Default: no blocks.
	BlockBy string `yaml:"block-by,omitempty" json:"block-by,omitempty"`
}

// Factors maps dotted paths to levels and keeps the order of the file.
type Factors []Factor

// A Factor is one path of the experiment and the values that it takes in turn.
type Factor struct {
	Path   string
	Levels []string // as the file writes them
}
