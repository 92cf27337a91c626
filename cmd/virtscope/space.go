package main

import (
	"fmt"
	"os"
	"virtscope/experiments/plan"
	"virtscope/experiments/spec"
	"virtscope/testbed/checkpoint"
	"virtscope/testbed/guest"
	"virtscope/testbed/provision"

	"golang.org/x/sys/unix"
)

// Space that a run may need: raw records of a trial, and a capture that is kept.
const (
	trialSpace   = 8 << 20
	headersSpace = 64 << 20
)

// needSpace refuses to start when a folder would fill up: dir, which keeps the run; the scratch folder, which holds a trial's
// disks, checkpoints and memory while it runs, and what all trials begin with; the same in this machine's memory; and the cache, which
// holds a disk of each kind. Image is the size of an experiment's image, 0 without one that has a disk.
func needSpace(dir string, todo []plan.Trial, image func(*spec.Experiment) int64) error {
	var keep, scratch, memory, warm, cache int64
	kinds, warmed := map[spec.Disk]bool{}, map[string]bool{}
	for _, t := range todo {
		keep += kept(t.Spec)
		scratch = max(scratch, used(t.Spec, image(t.Spec)))
		memory = max(memory, usedMemory(t.Spec))
		if key := warmKey(t.Spec); t.Spec.Guest.Start == startWarm && !t.Spec.Action.Fleet() && !warmed[key] {
			warmed[key] = true
			warm += savedMemory(t.Spec) + diskTakes(t.Spec, image(t.Spec))
		}
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
		{scratchParent, "the disks, the checkpoints and the memory of a trial may need", "free some, or make guest.disk and guest.memory smaller, or keep fewer checkpoints", scratch + warm},
		{memoryParent, "what a trial keeps in memory may need", "free some, make the tmpfs larger (mount -o remount,size=SIZE " + memoryParent + "), or make guest.memory smaller", memory},
		{cacheDir(), "the disks that are kept for the next run may need", "free some, or make guest.disk smaller", cache},
	} {
		if err := enough(f.path, f.what, f.remedy, f.need); err != nil {
			return err
		}
	}
	return nil
}

// The file systems on which testbed.Scratch and testbed.MemoryScratch lie.
const (
	scratchParent = "/var/tmp"
	memoryParent  = "/dev/shm"
)

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

// used is what a trial takes while it runs, in B: a disk at each end and a copy to compare them by (of qcow2, plain copies too),
// memory that migrates by way of a file, disks of the fleet's guests, and checkpoints.
func used(s *spec.Experiment, image int64) int64 {
	need := int64(0)
	if d := s.Guest.Disk; d != nil {
		need += 3 * int64(d.Size)
		if d.Format == "qcow2" {
			need += 2 * int64(d.Size)
		}
	}
	if m := s.Action.Migrate; m != nil && (m.Algorithm == "mapped-ram" || m.Algorithm == "background-snapshot") {
		need += savedMemory(s)
	}
	if s.Action.Fleet() {
		need += fleetDisks(s, image)
	}
	if save := saving(s); save != nil {
		if save.To == checkpoint.ToMemory {
			need += 2 * diskTakes(s, image) // a guest's, and the next one's
		} else {
			need += checkpoints(s, save, image)
		}
	}
	return need
}

// fleetDisks are those of a fleet's guests, and of guests that jobs preempt: overlays may fill up, and a host may have a template of
// its own.
func fleetDisks(s *spec.Experiment, image int64) int64 {
	guests, hosts := int64(fleetSize(s)), int64(fleetHosts(s))
	need := diskTakes(s, image) * hosts
	if s.Provision.Method == provision.Copy {
		need += diskTakes(s, image) * guests
	}
	if s.Guest.Start == startWarm {
		need += hosts * savedMemory(s)
	}
	if j := s.Action.Jobs; j != nil && j.Preempt != "none" {
		need += int64(jobCount(j)) * (savedMemory(s) + diskTakes(s, image)) // every job may be preempted
	}
	return need
}

// usedMemory is what a trial keeps in this machine's memory as files, in B: a substrate on each host, a guest whose memory is a file, and
// checkpoints.
func usedMemory(s *spec.Experiment) int64 {
	need := int64(0)
	if s.Guest.Start == startSubstrate {
		need += int64(fleetHosts(s)) * savedMemory(s)
	}
	save := saving(s)
	if save == nil {
		return need
	}
	if save.Format == guest.FormatMemoryFile {
		need += 2 * int64(s.Guest.Memory) // the guest's, and the next one's
	}
	if save.To == checkpoint.ToMemory {
		need += checkpoints(s, save, 0)
	}
	return need
}

// checkpoints are those that are kept, one that is on its way, and a copy that crosses to the other host.
func checkpoints(s *spec.Experiment, save *spec.Saving, image int64) int64 {
	n := int64(save.Keep)
	if k := s.Action.Checkpoint; k != nil {
		n = min(n, int64(k.Count))
	}
	return (n+2)*(savedMemory(s)+diskTakes(s, image)) + 2*diskTakes(s, image)
}

// savedMemory is a guest's memory in a file, with what belongs to it.
func savedMemory(s *spec.Experiment) int64 { return int64(s.Guest.Memory) + int64(s.Guest.Memory)/8 }

// diskTakes is that of a guest's disk, or of its image.
func diskTakes(s *spec.Experiment, image int64) int64 {
	if d := s.Guest.Disk; d != nil {
		return int64(d.Size)
	}
	return image
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
