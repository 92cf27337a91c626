package qemu

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// A machine is one QEMU process and the connections to it.
type machine struct {
	host    host.Host
	role    string // "source", or "destination" if it waited for a migration
	proc    host.Process
	mon     *Monitor      // nil until it is open
	pumped  chan struct{} // closed when the last event was recorded
	closers []io.Closer
	files   files
	private bool             // its memory is a file that it may not write
	grown   atomic.Bool      // it has vCPUs that its Spec does not name
	rec     results.Recorder // of what happens to it later
	console *consoleReader   // nil where nobody watches the start
	fetched *fetchWatch      // nil where nothing is behind the disk, or nobody watches
	made    []string         // files that go with this QEMU
	refused time.Time        // when QEMU last did not answer yet
	said    *Transcript
	// What QEMU showed before a migration set anything, and what was set since: see configure.
	defaults map[string]any
	told     map[string]bool
	saves    saves
	once     sync.Once
	closed   error // of close
}

// spawnMachine starts QEMU and connects to it. On an error nothing is left running.
func spawnMachine(ctx context.Context, h host.Host, s guest.Spec, accel string, f files, r role, rec results.Recorder) (_ *machine, err error) {
	vm := &machine{host: h, role: r.name(), pumped: make(chan struct{}), files: f, private: r.privateMemory != "", rec: rec}
	if f.initrd != "" {
		vm.made = append(vm.made, f.initrd)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, vm.close())
		}
	}()
	stderr, err := os.Create(f.stderr)
	if err != nil {
		return nil, fmt.Errorf("start qemu on %s: %w", h.Name(), err)
	}
	vm.closers = append(vm.closers, stderr)
	transcript, err := os.Create(f.transcript)
	if err != nil {
		return nil, fmt.Errorf("start qemu on %s: %w", h.Name(), err)
	}
	vm.closers, vm.said = append(vm.closers, transcript), NewTranscript(transcript)
	binary := r.binary(s)
	args := arguments(s, accel, f, r)
	if err := os.WriteFile(f.command, []byte(binary+"\n"+strings.Join(args, "\n")+"\n"), 0o644); err != nil {
		return nil, fmt.Errorf("start qemu on %s: %w", h.Name(), err)
	}
	if f.memory != "" && r.privateMemory == "" {
		vm.made = append(vm.made, f.memory)
	}
	marks := startRecords{rec: rec, host: h.Name(), on: s.Start.Observe && !r.incoming || r.restored}
	if observed(s, r) {
		if vm.console, err = listenConsole(f, newStartMarks(h.Name(), s, rec)); err != nil {
			return nil, err
		}
		go vm.console.run()
	}
	if f.trace != "" {
		vm.made = append(vm.made, f.trace)
		if vm.fetched, err = watchFetches(f, s, rec); err != nil {
			return nil, err
		}
	}
	before := time.Now()
	vm.proc, err = h.Start(ctx, host.Cmd{Path: binary, Args: args, Stdout: stderr, Stderr: stderr})
	if err != nil {
		return nil, fmt.Errorf("start qemu on %s: %w", h.Name(), err)
	}
	marks.spawned(vm.proc.PID(), before, time.Now())
	mon := NewMonitor(func(ctx context.Context) (net.Conn, error) { return vm.dialUnix(ctx, f.qmp) }, vm.said)
	if err := mon.Open(ctx); err != nil {
		return nil, fmt.Errorf("start qemu on %s: %w", h.Name(), vm.explain(err, f.stderr))
	}
	marks.answers(mon.greeted, vm.refused)
	vm.mon = mon
	go vm.pump(rec)
	return vm, nil
}

// dialUnix connects to a socket that QEMU is about to make, until it is there, QEMU has ended, or ctx is done.
func (vm *machine) dialUnix(ctx context.Context, path string) (net.Conn, error) {
	for {
		tried := time.Now()
		conn, err := vm.host.Dial(ctx, "unix", path)
		if err == nil {
			return conn, nil
		}
		vm.refused = tried
		select {
		case <-vm.proc.Done():
			return nil, errEnded
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

var errEnded = errors.New("qemu ended")

// explain adds what QEMU wrote before it ended.
func (vm *machine) explain(err error, stderr string) error {
	select {
	case <-vm.proc.Done():
	case <-time.After(100 * time.Millisecond): // it may be about to
		return err
	}
	text, readErr := os.ReadFile(stderr)
	if readErr != nil || len(text) == 0 {
		return fmt.Errorf("%w (%w)", err, errors.Join(vm.proc.Err(), readErr))
	}
	const most = 500
	if len(text) > most {
		text = text[len(text)-most:]
	}
	return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(text)))
}

// pump records every event with QEMU's own stamp.
func (vm *machine) pump(rec results.Recorder) {
	defer close(vm.pumped)
	events, err := vm.mon.Events(context.Background()) // ends with the connection
	if err != nil {
		return
	}
	for e := range events {
		if r, ok := eventRecord(vm.host.Name(), e); ok {
			rec.Record(r)
		}
	}
}

// close ends QEMU, politely first, and waits until it is gone. It is idempotent. An error says that the transcript has a
// gap.
func (vm *machine) close() error {
	vm.once.Do(func() { vm.closed = vm.closeOnce() })
	return vm.closed
}

func (vm *machine) closeOnce() error {
	if vm.proc != nil {
		vm.end()
	}
	if vm.mon != nil {
		_ = vm.mon.Disconnect()
		<-vm.pumped
	}
	var errs []error
	if vm.console != nil {
		errs = append(errs, vm.console.close())
	}
	if vm.fetched != nil {
		errs = append(errs, vm.fetched.close())
	}
	for _, c := range vm.closers {
		_ = c.Close()
	}
	for _, path := range vm.made {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("remove what qemu on %s used: %w", vm.host.Name(), err))
		}
	}
	if err := vm.said.Err(); err != nil {
		errs = append(errs, fmt.Errorf("keep the qmp transcript of %s: %w", vm.host.Name(), err))
	}
	return errors.Join(errs...)
}

func (vm *machine) end() {
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	if vm.mon != nil {
		// QEMU may end before it answers, so the error says nothing.
		_ = vm.mon.Execute(ctx, "quit", nil, nil)
		select {
		case <-vm.proc.Done():
		case <-ctx.Done():
		}
	}
	_ = vm.proc.Stop(ctx)
}
