package main

import (
	"fmt"
	"runtime"
	"syscall"
)

// What the agent measures must be the host's doing, not the guest scheduler's: its own threads come before the workload's.
//
// But not by far. Go's threads wait for each other, now and then, by spinning: under real-time scheduling, or with the
// workload in SCHED_IDLE, the one that is waited for never runs on a single CPU, and the guest's agent stands still for
// seconds (seen with Go 1.26). At this nice value it gets a tenth of the CPU.
const urgent = -10

// urgentThread binds the goroutine to its thread and puts the thread before ordinary ones.
func urgentThread() error {
	runtime.LockOSThread()
	if err := syscall.Setpriority(syscall.PRIO_PROCESS, 0, urgent); err != nil { // 0 is this thread
		return fmt.Errorf("set nice value %d: %w", urgent, err)
	}
	return nil
}

// ordinaryThread binds the goroutine to its thread, behind the agent's. The thread ends with the goroutine.
func ordinaryThread() error {
	runtime.LockOSThread()
	if err := syscall.Setpriority(syscall.PRIO_PROCESS, 0, 0); err != nil {
		return fmt.Errorf("set nice value 0: %w", err)
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
