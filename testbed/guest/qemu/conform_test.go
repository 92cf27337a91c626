package qemu

import (
	"testing"
	"time"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/guest/guesttest"
)

// TestConform runs the suite that every driver passes, on real guests.
func TestConform(t *testing.T) {
	needReal(t)
	guesttest.Conform(t, func(t *testing.T) guesttest.Env {
		bed, s := guesttest.NewBed(t), realSpec(t)
		bad := s
		bad.Kernel = "/nowhere/vmlinuz"
		return guesttest.Env{Driver: New(), Bed: bed, Spec: s, Bad: bad, Options: migrateOptions(), Workload: agent.Workload{Kind: "dirty", Rate: 4e6, WorkingSet: 16 << 20, Pattern: "random", Seed: 1}, Patience: 90 * time.Second}
	})
}

func migrateOptions() guest.MigrateOptions {
	return guest.MigrateOptions{Algorithm: "precopy", DowntimeLimit: 300 * time.Millisecond, MaxRounds: 30, Timeout: time.Minute}
}
