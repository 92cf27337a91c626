package runner

import (
	"time"
	"virtscope/experiments/spec"
)

const (
	// readLeast bounds what reads memory or a disk and has little to read.
	readLeast = time.Minute
	// readSlow is the rate in B/s at which even an emulated guest reads and checks what it wrote.
	readSlow = 10e6
)

// readLimit bounds a step that reads so many bytes.
func (e *execution) readLimit(bytes int64) time.Duration {
	return readLeast + time.Duration(float64(bytes)/readSlow*float64(time.Second))
}

// writtenBytes are what a guest verifies: its static memory, its working set, its store and its disk.
func writtenBytes(s *spec.Experiment) int64 {
	sum := int64(s.Guest.Check)
	if s.Workload.Has("dirty") || s.Workload.Has("replay") {
		sum += int64(s.Workload.WorkingSet)
	}
	if s.Workload.Has("kv") {
		sum += int64(s.Workload.KV.Keys) * int64(s.Workload.KV.ValueSize)
	}
	if s.Workload.Has("disk") {
		sum += diskBytes(s)
	}
	return sum
}

func diskBytes(s *spec.Experiment) int64 {
	if s.Guest.Disk == nil {
		return 0
	}
	return int64(s.Guest.Disk.Size)
}
