package spec

import (
	"reflect"
	"time"
)

// Default is an experiment with every default filled in; what is required is missing. It is the only place
// where a default is written, beside the comment of its field.
func Default() *Experiment {
	return &Experiment{
		Scale:   1,
		Testbed: Testbed{Kind: "local", Hosts: 2, Link: DefaultLink(), Client: "third", Emulator: "auto"},
		Guest: Guest{
			Driver: "qemu",
			Memory: 256 << 20,
			VCPUs:  1,
			Accel:  "auto",
			QEMU:   QEMU{Binary: "qemu-system-x86_64", Machine: "q35"},
			Check:  16 << 20,
			Start:  "cold", Substrate: Substrate{Memory: 96 << 20, VCPUs: 1, Docked: "saved"},
			Image: "builtin", User: "debian", Boot: "kernel", Firmware: "bios", HugePages: "none",
		},
		Provision: Provision{Method: "present", From: "store", Fanout: 4},
		Workload: Workload{
			Kind: "idle", WorkingSet: 32 << 20, Pattern: "sequential", HotShare: 0.1, HotWrites: 0.9, Zipf: 0.99,
			WriteSize: page, DeltaSize: page, Load: 1,
			Disk: DiskLoad{Rate: 4 << 20, Block: 64 << 10, Pattern: "random"},
			Net: NetLoad{
				Kind: "request", Requests: 200, RequestSize: 128, ResponseSize: 1 << 10, Rate: 4e6 / 8,
				PlayerBuffer: Duration(500 * time.Millisecond),
			},
			KV: KVLoad{
				Requests: 500, Arrivals: "poisson", Keys: 10_000, ValueSize: 1 << 10, Gets: 0.9, Pattern: "zipf", Connections: 4,
			},
		},
		Probes: Probes{
			Capture: Capture{Keep: "none", Decode: new(true)},
			Echo:    Echo{Interval: Duration(2 * time.Millisecond)},
			Usage:   Usage{Interval: Duration(100 * time.Millisecond)},
			Load:    LoadProbe{Bin: Duration(100 * time.Millisecond)},
		},
		Noise:      DefaultNoise(),
		Replicates: 1,
		Order:      Order{Shuffle: new(true), Seed: 1},
		Warmup:     Duration(time.Second),
		Baseline:   Duration(2 * time.Second),
		Quiesce:    Duration(time.Second),
		Timeout:    Duration(6 * time.Minute),
		Retries:    new(1),
	}
}

// DefaultLink is a link with every default filled in.
func DefaultLink() Link {
	return Link{Profile: "custom", Queue: Duration(50 * time.Millisecond), DownWhen: "action"}
}

// DefaultMigrate is a migration with every default filled in.
func DefaultMigrate() Migrate {
	return Migrate{
		Algorithm:     "precopy",
		DowntimeLimit: Duration(300 * time.Millisecond),
		MaxRounds:     30,
		Timeout:       Duration(time.Minute),

		XBZRLECache: 64 << 20,
		Channels:    2, Compression: "none", CompressionLevel: 1,
		CompressThreads: 2, DecompressThreads: 2,
		ThrottleInitial: 20, ThrottleIncrement: 10, ThrottleMax: 99,
		DirtyLimit: 1 << 20, DirtyLimitPeriod: Duration(time.Second),
		ZeroPageDetection: "default",
		DiskCopy:          "mirror", DiskWrites: "background",
	}
}

// DefaultBoot is the start of guests with every default filled in.
func DefaultBoot() Boot {
	return Boot{
		Guests: 1, Hosts: 1, Arrivals: "at-once", Interval: Duration(time.Second), Ready: "echo", ReadyPort: 80, ReadyPath: "/",
		Timeout: Duration(2 * time.Minute),
	}
}

func defaultSaving() Saving {
	return Saving{Mode: "stop", Format: "stream", To: "disk", Compression: "none", Disk: "full", Load: "eager", Keep: 2}
}

// DefaultCheckpoint is a checkpoint with every default filled in.
func DefaultCheckpoint() Checkpoint {
	return Checkpoint{
		Save: defaultSaving(), Count: 1, Interval: Duration(5 * time.Second), Restore: "same", Damage: "none", Timeout: Duration(time.Minute),
	}
}

// DefaultRecover is the recovery from failures with every default filled in.
func DefaultRecover() Recover {
	return Recover{
		Save: defaultSaving(), Period: Duration(5 * time.Second), Failures: 1, Failure: "kill-guest", Every: Duration(8 * time.Second),
		Arrivals: "poisson", Detect: "heartbeat", DetectAfter: Duration(time.Second), Restart: "same", Timeout: Duration(time.Minute),
		For: Duration(20 * time.Second),
	}
}

// DefaultJobs are jobs with every default filled in.
func DefaultJobs() Jobs {
	return Jobs{
		Trace: "small", TimeScale: 1, Cap: 4, KeepAlive: Duration(5 * time.Second), Preempt: "none", Hosts: 1, Timeout: Duration(2 * time.Minute),
	}
}

// DefaultDisk is a disk with every default filled in.
func DefaultDisk() Disk {
	return Disk{Size: 256 << 20, Filled: 1, Format: "raw", Storage: "local"}
}

// DefaultCrossTraffic is cross-traffic with every default filled in.
func DefaultCrossTraffic() CrossTraffic {
	return CrossTraffic{Kind: "udp", Flows: 1, Direction: "forward"}
}

// DefaultStopWhen is a rule with every default filled in.
func DefaultStopWhen() StopWhen { return StopWhen{Within: 0.05, Confidence: 0.95, AtLeast: 6} }

// newGroup is a pointer to a t with its defaults, for a group that exists only where a file names it.
func newGroup(t reflect.Type) reflect.Value {
	switch t {
	case reflect.TypeFor[Link]():
		return reflect.ValueOf(new(DefaultLink()))
	case reflect.TypeFor[Migrate]():
		return reflect.ValueOf(new(DefaultMigrate()))
	case reflect.TypeFor[Boot]():
		return reflect.ValueOf(new(DefaultBoot()))
	case reflect.TypeFor[Checkpoint]():
		return reflect.ValueOf(new(DefaultCheckpoint()))
	case reflect.TypeFor[Recover]():
		return reflect.ValueOf(new(DefaultRecover()))
	case reflect.TypeFor[Jobs]():
		return reflect.ValueOf(new(DefaultJobs()))
	case reflect.TypeFor[Disk]():
		return reflect.ValueOf(new(DefaultDisk()))
	case reflect.TypeFor[StopWhen]():
		return reflect.ValueOf(new(DefaultStopWhen()))
	case reflect.TypeFor[CrossTraffic]():
		return reflect.ValueOf(new(DefaultCrossTraffic()))
	case reflect.TypeFor[Influx]():
		return reflect.ValueOf(new(DefaultInflux()))
	}
	return reflect.New(t) // a test checks that every optional group is named above
}
