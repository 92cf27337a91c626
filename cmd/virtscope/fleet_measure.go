package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"strconv"
	"virtscope/results"
	"virtscope/testbed/guest"
)

// Measure implements runner.Fleet.
func (f *fleet) Measure(_ context.Context, rec results.Recorder) error {
	f.mu.Lock()
	live := maps.Clone(f.live)
	f.mu.Unlock()
	var errs []error
	for n, g := range live {
		private, shared, err := privateMemory(g, f.savedMemory(g.Host().Name()))
		select {
		case <-g.Done():
			continue // it has ended, perhaps while it was looked at: it takes nothing
		default:
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f.Name(n), err))
			continue
		}
		f.record(guest.Named(rec, f.Name(n)), results.GuestPrivate, float64(private), results.Bytes,
			map[string]string{"shared": strconv.FormatInt(shared, 10)})
	}
	return errors.Join(errs...)
}

// savedMemory is the file that clones on a host map; "" is none.
func (f *fleet) savedMemory(h string) string {
	if s := f.saved[h]; s != nil {
		return s.Memory()
	}
	return ""
}

// privateMemory is what a guest's processes take for themselves, and their proportional share of what they have in common
// with others, in B. Of the file from which it was cloned, pages that it has not written are no memory of its own, even where
// nobody else has touched them.
func privateMemory(g guest.Instance, common string) (private, shared int64, err error) {
	for _, p := range g.Processes() {
		m, err := readMaps(p.PID, common)
		if err != nil {
			return 0, 0, fmt.Errorf("read the memory of process %d: %w", p.PID, err)
		}
		private, shared = private+m.private, shared+m.shared
	}
	return private, shared, nil
}

func readMaps(pid int, common string) (smaps, error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/smaps", pid))
	if err != nil {
		return smaps{}, err
	}
	defer file.Close()
	return parseSmaps(file, common)
}
