package host

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Urgent puts the calling thread before all ordinary ones (SCHED_FIFO at its lowest priority: sched(7)), so that a guest
// that keeps every CPU busy does not make it late. It is for a thread that sleeps most of the time and must wake on time.
// The goroutine must be locked to its thread until restore. It needs CAP_SYS_NICE and two CPUs: on one, Go's runtime could
// wait, spinning, for a thread that this one keeps from running. Without them it is an error and nothing has changed.
func Urgent() (restore func(), err error) {
	if runtime.NumCPU() < 2 {
		return func() {}, fmt.Errorf("make thread urgent: it takes 2 CPUs, there is %d", runtime.NumCPU())
	}
	if err := schedule(unix.SchedAttr{Policy: unix.SCHED_FIFO, Priority: 1, Flags: unix.SCHED_FLAG_RESET_ON_FORK}); err != nil {
		return func() {}, err
	}
	return func() { _ = schedule(unix.SchedAttr{Policy: unix.SCHED_NORMAL}) }, nil
}

func schedule(a unix.SchedAttr) error {
	a.Size = uint32(unsafe.Sizeof(a))
	if err := unix.SchedSetAttr(0, &a, 0); err != nil {
		return fmt.Errorf("make thread urgent: %w", err)
	}
	return nil
}
