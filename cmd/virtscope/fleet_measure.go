package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"virtscope/results"
	"virtscope/testbed/guest"

	"github.com/shirou/gopsutil/v3/process"
)

// Measure implements runner.Fleet.
func (f *fleet) Measure(_ context.Context, rec results.Recorder) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for n, g := range f.live {
		select {
		case <-g.Done():
			continue // it has ended: it takes nothing
		default:
		}
		private, shared, err := privateMemory(g)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		f.record(guest.Named(rec, f.Name(n)), results.GuestPrivate, float64(private), results.Bytes,
			map[string]string{"shared": strconv.FormatInt(shared, 10)})
	}
	return errors.Join(errs...)
}

// privateMemory is what a guest's processes take for themselves, and their proportional share of what they have in common
// with others, in B (smaps_rollup: Private_Clean + Private_Dirty, and Pss less those; Documentation/filesystems/proc.rst).
func privateMemory(g guest.Instance) (private, shared int64, err error) {
	for _, p := range g.Processes() {
		proc := &process.Process{Pid: int32(p.PID)}
		maps, err := proc.MemoryMaps(true)
		if err != nil {
			return 0, 0, fmt.Errorf("read the memory of process %d: %w", p.PID, err)
		}
		for _, m := range *maps {
			own := int64(m.PrivateClean+m.PrivateDirty) << 10
			private += own
			shared += int64(m.Pss)<<10 - own
		}
	}
	return private, shared, nil
}
