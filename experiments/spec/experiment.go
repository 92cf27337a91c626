package spec

// An Experiment is one YAML file. Every field has a default except those marked required.
type Experiment struct {
	// Version of this language. Required: 1.
	Virtscope int `yaml:"virtscope" json:"virtscope" jsonschema:"minimum=1,maximum=1,required"`
	// Name of the experiment: lower-case letters, digits and hyphens. Required.
	Name string `yaml:"name" json:"name"`
	// Question that the experiment answers, in a sentence.
	Question string `yaml:"question,omitempty" json:"question,omitempty"`
	// Extends names another experiment file, relative to this one, whose values this one overrides.
	Extends string `yaml:"extends,omitempty" json:"extends,omitempty"`

	// Testbed is where the trials run.
	Testbed Testbed `yaml:"testbed" json:"testbed"`
	// Guest is what is booted.
	Guest Guest `yaml:"guest" json:"guest"`
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
	// Replicates of each treatment. Default: 1.
	Replicates int `yaml:"replicates" json:"replicates" jsonschema:"minimum=1,maximum=10000"`
	// Order of the trials.
	Order Order `yaml:"order" json:"order"`

	// Warmup is how long the workload runs before the baseline. Default: 1s.
	Warmup Duration `yaml:"warmup" json:"warmup"`
	// Baseline is how long the undisturbed guest is observed before the action: the noise floor. Default: 2s.
	Baseline Duration `yaml:"baseline" json:"baseline"`
	// Quiesce is how long the guest is observed after the action. Default: 1s.
	Quiesce Duration `yaml:"quiesce" json:"quiesce"`
	// Timeout of one trial, boot and tear-down included. Default: 4m.
	Timeout Duration `yaml:"timeout" json:"timeout"`
	// Retries of a trial that was invalid (our fault). A failed trial is data and is not retried. Default: 1.
	Retries *int `yaml:"retries,omitempty" json:"retries,omitempty" jsonschema:"minimum=0,maximum=100"`

	sources []Source // the files that it was read from
}

// Testbed is two hosts, src and dst, and a client, joined by a switch.
type Testbed struct {
	// Kind of testbed. Default: local (network namespaces of this machine).
	Kind string `yaml:"kind" json:"kind" jsonschema:"enum=local"`
	// Link of each host to the switch; it carries the guest's traffic.
	Link Link `yaml:"link" json:"link"`
	// MigrationLink is a link of its own for the migration. Without it, the migration shares the link above.
	MigrationLink *Link `yaml:"migration-link,omitempty" json:"migration-link,omitempty"`
}

// Link shapes both directions of a link.
type Link struct {
	// Rate limit, such as 1Gbit/s. Default: not limited.
	Rate Rate `yaml:"rate,omitempty" json:"rate,omitempty"`
	// Queue is how much a rate limit may hold back before it drops, as time at the rate. Default: 50ms.
	Queue Duration `yaml:"queue" json:"queue"`
	// Delay added in each direction (needs netem in the kernel). Default: 0.
	Delay Duration `yaml:"delay,omitempty" json:"delay,omitempty"`
	// Jitter of the delay (needs netem in the kernel). Default: 0.
	Jitter Duration `yaml:"jitter,omitempty" json:"jitter,omitempty"`
	// Loss of frames, from 0 to 1 (needs netem in the kernel). Default: 0.
	Loss float64 `yaml:"loss,omitempty" json:"loss,omitempty" jsonschema:"minimum=0,maximum=1"`
}

// Guest is a virtual machine.
type Guest struct {
	// Driver that makes the guest. Default: qemu. The scripted driver has no hypervisor: it is the ground truth of the instruments.
	Driver string `yaml:"driver" json:"driver" jsonschema:"enum=qemu,enum=scripted"`
	// Memory of the guest. Default: 256MiB.
	Memory Bytes `yaml:"memory" json:"memory"`
	// VCPUs of the guest. Default: 1.
	VCPUs int `yaml:"vcpus" json:"vcpus" jsonschema:"minimum=1,maximum=255"`
	// Kernel image (bzImage). Default: the newest readable /boot/vmlinuz-*.
	Kernel string `yaml:"kernel,omitempty" json:"kernel,omitempty"`
	// Accel is the accelerator. Default: auto (KVM where stock guests run under it, else TCG).
	Accel string `yaml:"accel" json:"accel" jsonschema:"enum=auto,enum=kvm,enum=tcg"`
	// QEMU is for the qemu driver alone.
	QEMU QEMU `yaml:"qemu" json:"qemu"`
	// Check is how much guest memory holds a known pattern that is verified after the action. Default: 16MiB.
	Check Bytes `yaml:"check" json:"check"`
}

// QEMU is what only QEMU knows.
type QEMU struct {
	// Binary to run. Default: qemu-system-x86_64.
	Binary string `yaml:"binary" json:"binary"`
	// Machine type. Default: q35.
	Machine string `yaml:"machine" json:"machine"`
}

// Workload is what runs in the guest from the warm-up on.
type Workload struct {
	// Kind of workload. Default: idle.
	Kind string `yaml:"kind" json:"kind" jsonschema:"enum=idle,enum=dirty,enum=cpu"`
	// Rate at which dirty writes memory, such as 8MiB/s. Required for dirty.
	Rate Rate `yaml:"rate,omitempty" json:"rate,omitempty"`
	// WorkingSet that dirty writes to. Default: 32MiB.
	WorkingSet Bytes `yaml:"working-set" json:"working-set"`
	// Pattern in which dirty chooses pages. Default: sequential. A hot-spot has 90 % of the writes on 10 % of the pages.
	Pattern string `yaml:"pattern" json:"pattern" jsonschema:"enum=sequential,enum=random,enum=hot-spot"`
	// Compressibility of what dirty writes, from 0 (random) to 1 (constant). Default: 0.
	Compressibility float64 `yaml:"compressibility,omitempty" json:"compressibility,omitempty" jsonschema:"minimum=0,maximum=1"`
	// Threads that cpu keeps busy. Default: one per vCPU.
	Threads int `yaml:"threads,omitempty" json:"threads,omitempty" jsonschema:"minimum=0,maximum=1024"`
	// Load of each of the cpu workload's threads, from above 0 to 1. Default: 1.
	Load float64 `yaml:"load" json:"load" jsonschema:"exclusiveMinimum=0,maximum=1"`
}

// Action is what is done to the guest: exactly one of its fields.
type Action struct {
	// Migrate the guest from src to dst.
	Migrate *Migrate `yaml:"migrate,omitempty" json:"migrate,omitempty"`
}

// Migrate is a live migration.
type Migrate struct {
	// Algorithm. Default: precopy.
	Algorithm string `yaml:"algorithm" json:"algorithm" jsonschema:"enum=precopy"`
	// MaxBandwidth that the hypervisor may use. Default: not limited.
	MaxBandwidth Rate `yaml:"max-bandwidth,omitempty" json:"max-bandwidth,omitempty"`
	// DowntimeLimit is the longest stop-and-copy that the source may plan. Default: 300ms.
	DowntimeLimit Duration `yaml:"downtime-limit" json:"downtime-limit"`
	// MaxRounds of pre-copy; more is a failed trial (did not converge). Default: 30.
	MaxRounds int `yaml:"max-rounds" json:"max-rounds" jsonschema:"minimum=1,maximum=1000000"`
	// Timeout of the migration; longer is a failed trial. Default: 60s.
	Timeout Duration `yaml:"timeout" json:"timeout"`
	// Outage that the scripted driver makes. Only for guest.driver: scripted.
	Outage Duration `yaml:"outage,omitempty" json:"outage,omitempty"`
}

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
