package guesttest

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
	"time"
	"virtscope/results"
	"virtscope/testbed"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/host"
)

// An Env is what the suite needs to put a driver to the test.
type Env struct {
	Driver guest.Driver
	Bed    *testbed.Testbed // see NewBed
	Spec   guest.Spec       // boots on the source; see NewSpec
	Bad    guest.Spec       // Boot refuses it
	// Options of each migration. The suite fills in where it goes.
	Options guest.MigrateOptions
	// Workload of a guest that is saved; the zero value is idle.
	Workload agent.Workload
	// Patience is how long a guest may take to boot, to answer or to migrate. 0 is a minute.
	Patience time.Duration
}

// Conform puts a driver through everything that guest.Driver and its kin promise. Setup is called for each
// part, with a *testing.T whose clean-ups take down what it makes. The suite needs root. It boots six guests
// that get ready, and a few that do not.
func Conform(t *testing.T, setup func(t *testing.T) Env) {
	t.Helper()
	for _, part := range []struct {
		name string
		run  func(*suite)
	}{
		{"Fingerprint", (*suite).fingerprint},
		{"BadSpec", (*suite).badSpec},
		{"CancelledBoot", (*suite).cancelledBoot},
		{"BootAndClose", (*suite).bootAndClose},
		{"Migrate", (*suite).migrate},
		{"PortTakenThenClosedMidway", (*suite).portTakenThenClosedMidway},
		{"EndsByItself", (*suite).endsByItself},
		{"SaveAndRestore", (*suite).saveAndRestore},
		{"SaveAndRestoreFail", (*suite).saveAndRestoreFail},
	} {
		t.Run(part.name, func(t *testing.T) {
			if os.Geteuid() != 0 {
				t.Skip("needs root: makes network namespaces")
			}
			s := &suite{T: t, Env: setup(t), log: new(Log)}
			if s.Patience == 0 {
				s.Patience = time.Minute
			}
			part.run(s)
			s.nothingLeft()
		})
	}
}

// A suite is one part of Conform on its way.
type suite struct {
	*testing.T
	Env
	log *Log
}

func (s *suite) must(err error, what string) {
	s.Helper()
	if err != nil {
		s.Fatalf("%s: %v", what, err)
	}
}

func (s *suite) within() context.Context {
	ctx, cancel := context.WithTimeout(s.Context(), s.Patience)
	s.Cleanup(cancel)
	return ctx
}

// nothingLeft looks for processes, whoever's child they are, and for taps that are still held.
func (s *suite) nothingLeft() {
	s.Helper()
	left, err := s.Bed.Processes()
	s.must(err, "list processes")
	if len(left) > 0 {
		s.Errorf("processes left: %v", left)
	}
	for _, h := range []*host.Netns{s.Bed.Source(), s.Bed.Destination()} {
		if err := tapIsFree(h, s.Spec.NIC.Tap); err != nil {
			s.Errorf("%s: %v", h.Name(), err)
		}
	}
}

// boot boots a guest and waits until its agent answers.
func (s *suite) boot() (guest.Instance, *agent.Client) {
	s.Helper()
	i, err := s.Driver.Boot(s.within(), s.Bed.Source(), s.Spec, s.log)
	s.must(err, "boot")
	s.Cleanup(func() { _ = i.Close() }) // closed by the test, unless it failed
	agented, ok := i.(guest.Agented)
	if !ok {
		s.Fatalf("%T has no agent", i)
	}
	hello, err := agented.Agent().Hello(s.within())
	s.must(err, "wait for the agent")
	if hello.TickNS <= 0 || hello.MissNS <= 0 || hello.BeatNS <= 0 || hello.Kernel == "" {
		s.Errorf("the agent's hello is not filled in: %+v", hello)
	}
	return i, agented.Agent()
}

// await waits until something was recorded.
func (s *suite) await(name string) {
	s.Helper()
	for ctx := s.within(); len(s.log.Named(name)) == 0; time.Sleep(time.Millisecond) {
		if ctx.Err() != nil {
			s.Fatalf("no record %s", name)
		}
	}
}

func (s *suite) fingerprint() {
	c, err := s.Driver.Fingerprint(s.within(), s.Bed.Source(), s.Spec)
	s.must(err, "fingerprint")
	if c.Why == "" {
		s.Error("it does not say why that accelerator")
	}
	if s.Driver.Name() == "" {
		s.Error("the driver has no name")
	}
}

func (s *suite) badSpec() {
	i, err := s.Driver.Boot(s.within(), s.Bed.Source(), s.Bad, s.log)
	if err == nil {
		s.must(i.Close(), "close")
		s.Error("a bad spec boots")
	}
}

func (s *suite) cancelledBoot() {
	for _, after := range []time.Duration{0, time.Millisecond, 10 * time.Millisecond, 50 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(s.Context(), after)
		i, err := s.Driver.Boot(ctx, s.Bed.Source(), s.Spec, s.log)
		cancel()
		if err == nil { // it was faster
			s.must(i.Close(), "close")
		}
		if err == nil && after == 0 {
			s.Error("a cancelled boot boots")
		}
		s.nothingLeft()
	}
}

func (s *suite) bootAndClose() {
	i, a := s.boot()
	if i.Host().Name() != s.Bed.Source().Name() {
		s.Errorf("the guest is on %s", i.Host().Name())
	}
	processes := i.Processes()
	if len(processes) == 0 {
		s.Error("it lists no process")
	}
	for _, p := range processes {
		if p.PID <= 0 || p.Host != s.Bed.Source().Name() || p.Role != "source" {
			s.Errorf("process %+v", p)
		}
		if syscall.Kill(p.PID, 0) != nil {
			s.Errorf("process %+v does not exist", p)
		}
	}
	s.echoes("after boot")
	s.must(a.Start(s.within(), agent.Workload{Kind: "idle"}), "start the workload")
	if _, err := a.Stop(s.within()); err != nil {
		s.Errorf("stop the workload: %v", err)
	}
	if err := a.Start(s.within(), agent.Workload{Kind: "no such"}); err == nil {
		s.Error("an unknown workload starts")
	}
	s.await(results.GuestHeartbeat)
	select {
	case <-i.Done():
		s.Error("Done is closed while the guest runs")
	default:
	}
	for range 2 {
		s.must(i.Close(), "close")
	}
	select {
	case <-i.Done():
	default:
		s.Error("Done is open after Close")
	}
	for _, name := range []string{results.GuestReady, results.GuestTickInfo} {
		if n := len(s.log.Named(name)); n != 1 {
			s.Errorf("%d records %s, want 1", n, name)
		}
	}
}

func (s *suite) endsByItself() {
	i, _ := s.boot()
	for _, p := range i.Processes() {
		s.must(syscall.Kill(p.PID, syscall.SIGKILL), "kill the guest")
	}
	select {
	case <-i.Done():
	case <-s.within().Done():
		s.Error("Done is not closed when the guest ends by itself")
	}
	s.must(i.Close(), "close")
	if err := i.Close(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.Errorf("close again: %v", err)
	}
}
