// Command guest is the init process of virtscope's built-in guest: it brings up the network, answers echo
// requests, keeps time, runs workloads and verifies memory. It takes its orders over a virtio-serial port; see
// package agent for the protocol.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
	"virtscope/testbed/guest/agent"
)

// patience is how long a device may take to appear.
const patience = 20 * time.Second

func main() {
	// What the agent itself dirties is noise in every migration: no collection until the heap holds 24 MiB.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(24 << 20)

	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "virtscope-guest: this is the init process of a guest: boot it, see testbed/image")
		os.Exit(2)
	}
	err := run()
	console("failed: %v", err)
	powerOff()
}

// run sets the guest up and serves it. It returns only on an error.
func run() error {
	setProcs(runtime.NumCPU())
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"file systems", mountAll},
		{"huge pages off", disableHugePages},
		{"modules", loadModules},
	} {
		if err := step.do(); err != nil {
			return err
		}
		console("%s: done", step.name)
	}
	out, err := newOutbox()
	if err != nil {
		return err
	}
	p, err := openPort(patience)
	if err != nil {
		return err
	}
	console("port %s: open", agent.Port)
	failed := make(chan error)
	go func() {
		if err := urgentThread(); err != nil {
			out.log("%v", err)
		}
		failed <- out.send(func(b []byte) error { _, err := p.Write(b); return err })
	}()
	address, err := startNetwork(out, failed)
	if err != nil {
		out.log("%v", err)
		sleepUntil(mono() + int64(time.Second)) // let the controller read why
		return err
	}
	s := &server{out: out, address: address}
	go func() {
		if err := urgentThread(); err != nil {
			out.log("%v", err)
		}
		newTicker(mono(), &s.running, out.report).run()
	}()
	go func() {
		if err := s.greet(); err != nil {
			failed <- err
		}
	}()
	go func() { failed <- s.serve(p) }()
	console("ready")
	return <-failed
}

// startNetwork brings up the network and the echo responder if the command line gives an address, and returns it.
func startNetwork(out *outbox, failed chan<- error) (string, error) {
	cmdline, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return "", fmt.Errorf("read command line: %w", err)
	}
	address, ok, err := addressOf(string(cmdline))
	if err != nil {
		return "", err
	}
	if !ok {
		out.log("no network: the command line has no %s", addressParam)
		return "", nil
	}
	link, err := networkUp(address, patience)
	if err != nil {
		return "", err
	}
	fd, err := echoSocket(echoPort)
	if err != nil {
		return "", err
	}
	go func() {
		if err := urgentThread(); err != nil {
			out.log("%v", err)
		}
		failed <- echo(fd)
	}()
	console("network: %s is up as %s", link, address)
	return address.Addr().String(), nil
}

// greet says hello until the host answers: it may attach late.
func (s *server) greet() error {
	for !s.asked.Load() {
		h, err := hello()
		if err != nil {
			return err
		}
		if err := s.out.say(&agent.Message{Hello: h}); err != nil {
			return err
		}
		sleepUntil(mono() + int64(200*time.Millisecond))
	}
	return nil
}

// console writes a line to the guest's console.
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
