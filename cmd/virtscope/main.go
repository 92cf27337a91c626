// Command virtscope measures what a virtualization testbed does to the things that run on it.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
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

func main() { os.Exit(run()) }

func run() int {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, nil)))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	err := newRoot().ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "virtscope:", err)
	return exitCode(err)
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
