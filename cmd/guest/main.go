// Command guest is the init process of virtscope's built-in guest: it brings up the network, answers echo
// requests, keeps time, runs workloads and verifies memory. It takes its orders over a virtio-serial port; see
// package agent for the protocol. With --agent it is a service of a guest that has an init process of its own.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"syscall"
	"time"
)

// patience is how long a device may take to appear.
const patience = 20 * time.Second

func main() {
	var b bootLog
	isInit := os.Getpid() == 1
	if isInit {
		b.init = markInit()
	}
	// What the agent itself dirties is noise in every migration: no collection until the heap holds 24 MiB.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(24 << 20)

	switch {
	case isInit:
		err := run(builtIn{}, &b)
		console("failed: %v", err)
		powerOff()
	case len(os.Args) == 2 && os.Args[1] == "--agent":
		err := run(service{}, &b)
		console("failed: %v", err)
		os.Exit(1)
	default:
		fmt.Fprintln(os.Stderr, "virtscope-guest: this is the init process of a guest: boot it, see testbed/image; or start it with --agent in a guest with systemd")
		os.Exit(2)
	}
}

// console writes a line to the guest's console, or to its service's log.
func console(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "virtscope-guest: %.3f s: %s\n", float64(mono())/1e9, fmt.Sprintf(format, args...))
}

// powerOff ends the guest: the init process must not return.
func powerOff() {
	_ = syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
	for { // a machine that has no power switch
		_ = syscall.Reboot(syscall.LINUX_REBOOT_CMD_RESTART)
		time.Sleep(time.Second)
	}
}
