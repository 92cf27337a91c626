package main

import (
	"fmt"
	"os"
	"virtscope/experiments/plan"
	"virtscope/experiments/spec"

	"golang.org/x/sys/unix"
)

// Space that a run may need: raw records of a trial, and a capture that is kept.
const (
	trialSpace   = 8 << 20
	headersSpace = 64 << 20
)

// needSpace refuses to start when a folder would fill up: dir, which keeps the run; the scratch folder, which holds a trial's
// disks and memory while it runs; and the cache, which holds a disk of each kind.
func needSpace(dir string, todo []plan.Trial) error {
	var keep, scratch, cache int64
	kinds := map[spec.Disk]bool{}
	for _, t := range todo {
		keep += kept(t.Spec)
		scratch = max(scratch, used(t.Spec))
		if d := t.Spec.Guest.Disk; d != nil && !kinds[*d] {
			kinds[*d] = true
			cache += int64(float64(d.Size) * d.Filled)
		}
	}
	for _, f := range []struct {
		path, what, remedy string
		need               int64
	}{
		{dir, fmt.Sprintf("%d trials may need", len(todo)), "free some, or name another folder with --runs", keep},
		{scratchParent, "the disks and the memory of a trial may need", "free some, or make guest.disk smaller", scratch},
		{cacheDir(), "the disks that are kept for the next run may need", "free some, or make guest.disk smaller", cache},
	} {
		if err := enough(f.path, f.what, f.remedy, f.need); err != nil {
			return err
		}
	}
	return nil
}

// scratchParent is the file system on which testbed.Scratch lies.
const scratchParent = "/var/tmp"

// kept is what is left of a trial, in B.
func kept(s *spec.Experiment) int64 {
	need := int64(trialSpace)
	switch s.Probes.Capture.Keep {
	case "headers":
		need += headersSpace
	case "whole":
		need += 2 * int64(s.Guest.Memory)
		if d := s.Guest.Disk; d != nil && d.Storage == "local" {
			need += 2 * int64(d.Size)
		}
	}
	return need
}

// used is what a trial takes while it runs, in B: a disk at each end and a copy to compare them by (of qcow2, plain copies too), and memory
// that migrates by way of a file.
func used(s *spec.Experiment) int64 {
	need := int64(0)
	if d := s.Guest.Disk; d != nil {
		need += 3 * int64(d.Size)
		if d.Format == "qcow2" {
			need += 2 * int64(d.Size)
		}
	}
	if m := s.Action.Migrate; m != nil && (m.Algorithm == "mapped-ram" || m.Algorithm == "background-snapshot") {
		need += int64(s.Guest.Memory) + int64(s.Guest.Memory)/8
	}
	return need
}

func enough(path, what, remedy string, need int64) error {
	if need == 0 {
		return nil
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return fmt.Errorf("find the free space of %s: %w", path, err)
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return fmt.Errorf("find the free space of %s: %w", path, err)
	}
	if free := int64(fs.Bavail) * fs.Bsize; free < need {
		return fmt.Errorf("start the run: %s has %d MiB free and %s %d MiB: %s", path, free>>20, what, need>>20, remedy)
	}
	return nil
}
