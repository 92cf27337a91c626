// Command virtscope measures what a virtualization testbed does to the things that run on it.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

// version is set by the linker.
var version = "unknown"

// Exit codes.
const (
	exitFailure     = 1   // something went wrong
	exitSpec        = 2   // the experiment or the command line is wrong; nothing was started
	exitInterrupted = 130 // the user stopped the run; what ended is kept
)

// spareProcessors are what Go may run at once beside one goroutine a CPU. A probe's thread that wakes must not wait
// until another goroutine has had its turn (up to 10 ms): with processors to spare, the kernel alone decides, by
// priority.
const spareProcessors = 8

func main() {
	runtime.GOMAXPROCS(runtime.NumCPU() + spareProcessors)
	os.Exit(run())
}

func run() int {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, nil)))
	ctx, stop := signal.NotifyContext(context.Background(), endSignals()...)
	defer stop()
	// A reader of our output that is gone must not end us in the middle of a tear-down.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	err := newRoot(stop).ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "virtscope:", err)
	return exitCode(err)
}

// endSignals ask virtscope to stop. One that the caller had us ignore (nohup) stays ignored.
func endSignals() []os.Signal {
	signals := []os.Signal{syscall.SIGTERM}
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signals = append(signals, s)
		}
	}
	return signals
}

// A codedError ends the program with a code of its own.
type codedError struct {
	code int
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

// specError marks an error in what the user wrote.
func specError(err error) error {
	if err == nil {
		return nil
	}
	return &codedError{exitSpec, err}
}

func exitCode(err error) int {
	var coded *codedError
	if errors.As(err, &coded) {
		return coded.code
	}
	return exitFailure
}
