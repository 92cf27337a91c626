package main

import (
	"errors"
	"fmt"
	"os"
	"virtscope/experiments/plan"
	"virtscope/experiments/spec"
	"virtscope/testbed/guest"

	"golang.org/x/sys/unix"
)

// Space that a run may need: raw records of a trial, and a capture that is kept.
const (
	trialSpace   = 8 << 20
	headersSpace = 64 << 20
)

// needSpace refuses to start when a disk would fill up: that of the runs, or that of what a trial leaves nothing of.
func needSpace(dir, scratch string, todo []plan.Trial) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the runs folder: %w", err)
	}
	var kept, passing int64
	for _, t := range todo {
		kept += keptSpace(t.Spec)
		passing = max(passing, scratchSpace(t.Spec))
	}
	return errors.Join(
		enough(dir, kept, fmt.Sprintf("%d trials", len(todo)), "name another folder with --runs"),
		enough(scratch, passing, "a trial's disks and memory", "make guest.disk.size or guest.memory smaller"),
	)
}

// keptSpace is what a trial may leave in the run's folder, in B.
func keptSpace(s *spec.Experiment) int64 {
	switch s.Probes.Capture.Keep {
	case "headers":
		return trialSpace + headersSpace
	case "whole":
		return trialSpace + 2*int64(s.Guest.Memory)
	}
	return trialSpace
}

// scratchSpace is what a trial may need while it runs, in B: the disks, and the file that memory migrates through.
func scratchSpace(s *spec.Experiment) int64 {
	var need int64
	if d := s.Guest.Disk; d != nil {
		need += int64(d.Size)
		if d.Storage == "local" {
			need += int64(d.Size)
		}
	}
	if m := s.Action.Migrate; m != nil && (m.Algorithm == guest.MappedRAM || m.Algorithm == guest.BackgroundSnapshot) {
		need += int64(s.Guest.Memory)
	}
	return need
}

// enough wants need B to be free in dir, for what it says.
func enough(dir string, need int64, what, remedy string) error {
	if need == 0 {
		return nil
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return fmt.Errorf("find the free space of %s: %w", dir, err)
	}
	if free := int64(fs.Bavail) * fs.Bsize; free < need {
		return fmt.Errorf("start the run: %s has %d MiB free and %s may need %d MiB: free some, or %s", dir, free>>20, what, need>>20, remedy)
	}
	return nil
}
