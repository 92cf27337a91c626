package probes

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// urgentNice is the highest priority that an ordinary thread can have.
const urgentNice = -20

// Urgent puts the calling thread before other ordinary ones (nice −20, see sched(7)), so that a guest that keeps every CPU
// busy does not make a probe late. It is for threads that mostly sleep. The goroutine must be locked to its thread until
// restore. It needs CAP_SYS_NICE; without it, it is an error and nothing has changed.
//
// A real-time policy would come sooner still, but a Go program can stall under one: its runtime waits for threads that then
// do not get the CPU.
func Urgent() (restore func(), err error) {
	before, err := unix.Getpriority(unix.PRIO_PROCESS, 0) // of this thread; the kernel answers 20 − nice
	if err != nil {
		return func() {}, fmt.Errorf("read priority: %w", err)
	}
	if err := unix.Setpriority(unix.PRIO_PROCESS, 0, urgentNice); err != nil {
		return func() {}, fmt.Errorf("raise priority: %w", err)
	}
	return func() { _ = unix.Setpriority(unix.PRIO_PROCESS, 0, 20-before) }, nil
}
