package main

import (
	"strings"
	"testing"
	"virtscope/experiments/plan"
	"virtscope/experiments/spec"
)

// TestNeedSpace counts what disks, memory and captures take, and refuses what no machine has.
func TestNeedSpace(t *testing.T) {
	e := spec.Default()
	e.Action.Migrate = new(spec.DefaultMigrate())
	if got := used(e, 0); got != 0 {
		t.Errorf("a trial without a disk uses %d B", got)
	}
	e.Action.Migrate.Algorithm = "mapped-ram"
	if got, want := used(e, 0), int64(e.Guest.Memory)*9/8; got != want {
		t.Errorf("memory in a file: %d B, want %d", got, want)
	}
	e.Guest.Disk = new(spec.DefaultDisk())
	e.Action.Migrate.Algorithm = "precopy"
	if got, want := used(e, 0), 3*int64(e.Guest.Disk.Size); got != want {
		t.Errorf("disks: %d B, want %d", got, want)
	}
	e.Guest.Disk.Size = 1 << 60
	err := needSpace(t.TempDir(), []plan.Trial{{Spec: e}}, noImage)
	if err == nil || !strings.Contains(err.Error(), "guest.disk") {
		t.Errorf("a disk of 1 EiB: %v", err)
	}
	e.Guest.Disk = nil
	if err := needSpace(t.TempDir(), []plan.Trial{{Spec: e}}, noImage); err != nil {
		t.Errorf("8 MiB: %v", err)
	}
}

func noImage(*spec.Experiment) int64 { return 0 }
