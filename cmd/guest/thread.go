package main

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"
)

// What the agent measures must be the host's doing, not the guest scheduler's: its own threads come first and
// the workload's last. Real-time scheduling would do it too, but not with Go: a real-time thread that leaves
// a system call spins while Go's monitor holds its goroutine, and on one CPU the monitor then never runs
// (Go 1.26: the guest stood still for seconds).
const (
	urgent    = -20 // nice value
	schedIdle = 5   // SCHED_IDLE of linux/sched.h: any other thread that wakes takes the CPU at once
)

// urgentThread binds the goroutine to its thread and puts the thread before all others.
func urgentThread() error {
	runtime.LockOSThread()
	if err := syscall.Setpriority(syscall.PRIO_PROCESS, 0, urgent); err != nil { // 0 is this thread
		return fmt.Errorf("set nice value %d: %w", urgent, err)
	}
	return nil
}

// idleThread binds the goroutine to its thread and puts the thread behind all others. The thread ends with
// the goroutine.
func idleThread() error {
	runtime.LockOSThread()
	var priority int32
	_, _, errno := syscall.Syscall(syscall.SYS_SCHED_SETSCHEDULER, 0, schedIdle, uintptr(unsafe.Pointer(&priority)))
	if errno != 0 {
		return fmt.Errorf("set scheduling policy idle: %w", errno)
	}
	return nil
}

const prSetTHPDisable = 41 // linux/prctl.h

// disableHugePages keeps khugepaged from copying pages: that would dirty memory that no workload wrote.
func disableHugePages() error {
	_, _, errno := syscall.Syscall6(syscall.SYS_PRCTL, prSetTHPDisable, 1, 0, 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("disable transparent huge pages: %w", errno)
	}
	return nil
}
