package probes

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Realtime puts the calling thread before all ordinary ones (SCHED_FIFO, the lowest priority of it: sched(7)), so that a
// guest that keeps every CPU busy does not make a probe late. It is for threads that mostly sleep. The goroutine must be
// locked to its thread until restore. It needs CAP_SYS_NICE; without it, it is an error and nothing has changed.
func Realtime() (restore func(), err error) {
	if err := schedule(unix.SchedAttr{Policy: unix.SCHED_FIFO, Priority: 1, Flags: unix.SCHED_FLAG_RESET_ON_FORK}); err != nil {
		return func() {}, err
	}
	return func() { _ = schedule(unix.SchedAttr{Policy: unix.SCHED_NORMAL}) }, nil
}

func schedule(a unix.SchedAttr) error {
	a.Size = uint32(unsafe.Sizeof(a))
	if err := unix.SchedSetAttr(0, &a, 0); err != nil {
		return fmt.Errorf("set scheduling policy: %w", err)
	}
	return nil
}
