package main

import (
	"syscall"
	"unsafe"
)

// Clock numbers and flags of linux/time.h that package syscall does not name.
const (
	clockMonotonic = 1
	timerAbsTime   = 1
)

// mono is the guest's CLOCK_MONOTONIC in ns: the one clock of every number that the agent sends.
func mono() int64 {
	var ts syscall.Timespec
	_, _, _ = syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&ts)), 0)
	return ts.Nano()
}

// sleepUntil sleeps until mono reaches t. It returns early only if the clock is broken.
func sleepUntil(t int64) {
	ts := syscall.NsecToTimespec(t)
	for {
		// Syscall, not RawSyscall: a garbage collection must not wait for a sleeper.
		_, _, errno := syscall.Syscall6(syscall.SYS_CLOCK_NANOSLEEP, clockMonotonic, timerAbsTime,
			uintptr(unsafe.Pointer(&ts)), 0, 0, 0)
		if errno != syscall.EINTR {
			return
		}
	}
}
