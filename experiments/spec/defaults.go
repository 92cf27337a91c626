package spec

import (
	"reflect"
	"time"
)

// Default is an experiment with every default filled in; what is required is missing. It is the only place
// where a default is written, beside the comment of its field.
func Default() *Experiment {
	return &Experiment{
		Testbed: Testbed{Kind: "local", Link: DefaultLink()},
		Guest: Guest{
			Driver: "qemu",
			Memory: 256 << 20,
			VCPUs:  1,
			Accel:  "auto",
			QEMU:   QEMU{Binary: "qemu-system-x86_64", Machine: "q35"},
			Check:  16 << 20,
		},
		Workload: Workload{Kind: "idle", WorkingSet: 32 << 20, Pattern: "sequential", Load: 1},
		Probes: Probes{
			Capture: Capture{Keep: "none", Decode: new(true)},
			Echo:    Echo{Interval: Duration(2 * time.Millisecond)},
			Usage:   Usage{Interval: Duration(100 * time.Millisecond)},
		},
		Replicates: 1,
		Order:      Order{Shuffle: new(true), Seed: 1},
		Warmup:     Duration(time.Second),
		Baseline:   Duration(2 * time.Second),
		Quiesce:    Duration(time.Second),
		Timeout:    Duration(4 * time.Minute),
		Retries:    new(1),
	}
}

// DefaultLink is a link with every default filled in.
func DefaultLink() Link {
	return Link{Queue: Duration(50 * time.Millisecond)}
}

// DefaultMigrate is a migration with every default filled in.
func DefaultMigrate() Migrate {
	return Migrate{
		Algorithm:     "precopy",
		DowntimeLimit: Duration(300 * time.Millisecond),
		MaxRounds:     30,
		Timeout:       Duration(time.Minute),
	}
}

// newGroup is a pointer to a t with its defaults, for a group that exists only where a file names it.
func newGroup(t reflect.Type) reflect.Value {
	switch t {
	case reflect.TypeFor[Link]():
		return reflect.ValueOf(new(DefaultLink()))
	case reflect.TypeFor[Migrate]():
		return reflect.ValueOf(new(DefaultMigrate()))
	}
	return reflect.New(t) // a test checks that every optional group is named above
}
