package main

import (
	"context"
	"fmt"
	"virtscope/experiments/spec"
	"virtscope/testbed"

	"github.com/shirou/gopsutil/v3/mem"
)

// What a local testbed and a guest's hypervisor take beside the guest's memory, in B: seen, and rounded up.
const (
	hypervisorMemory = 96 << 20
	hostMemory       = 8 << 20
)

// jobCount is how many jobs an experiment's trace has; 0 if it cannot be read, which was reported when the experiment was.
func jobCount(j *spec.Jobs) int {
	list, err := j.List()
	if err != nil {
		return 0
	}
	return len(list)
}

// checkFleet refuses what this machine cannot hold, before anything starts.
func checkFleet(ctx context.Context, s *spec.Experiment) error {
	if !s.Action.Fleet() {
		return nil
	}
	n := fleetSize(s)
	if j := s.Action.Jobs; j != nil {
		n = jobCount(j) // each may ask for a guest of its own
	}
	if n > testbed.MaxGuests && s.Action.Jobs != nil {
		return fmt.Errorf("action.jobs: %d jobs may ask for as many guests, and a testbed of this machine has at most %d: set action.jobs.first", n, testbed.MaxGuests)
	}
	if n > testbed.MaxGuests {
		return fmt.Errorf("action.%s: %d guests: a testbed of this machine has at most %d: take several machines, or fewer guests", s.Action.Kind(), n, testbed.MaxGuests)
	}
	v, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return fmt.Errorf("find this machine's memory: %w", err)
	}
	guests := fleetSize(s)
	if j := s.Action.Jobs; j != nil {
		guests = min(guests, j.Cap)
	}
	need := int64(guests)*(guestMemory(s)+hypervisorMemory) + int64(s.Testbed.Hosts)*hostMemory
	if have := int64(v.Total); need > have {
		return fmt.Errorf("start the run: %d guests of %s on %d hosts need %d MiB and this machine has %d MiB: take fewer guests (action.%s), smaller ones (guest.memory), or a machine with more memory",
			guests, s.Guest.Memory, s.Testbed.Hosts, need>>20, have>>20, s.Action.Kind())
	}
	return nil
}

// guestMemory is what one guest can take. Clones of a substrate share what they do not write; how much that is, is what is
// measured, so that what they could take counts.
func guestMemory(s *spec.Experiment) int64 { return int64(s.Guest.Memory) }
