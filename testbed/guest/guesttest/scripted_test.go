package guesttest

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
	"virtscope/testbed"
	"virtscope/testbed/guest"
)

// The test program is the guest's process too.
const guestArgument = "scripted-guest"

func TestMain(m *testing.M) {
	if len(os.Args) < 2 || os.Args[1] != guestArgument {
		os.Exit(m.Run())
	}
	if err := RunGuest(context.Background(), os.Args[2:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func newDriver(t testing.TB) *Driver {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return New(Config{Command: []string{self, guestArgument}})
}

func TestScriptedConforms(t *testing.T) {
	Conform(t, func(t *testing.T) Env {
		spec := NewSpec(t)
		bad := spec
		bad.NIC.Tap = "notap"
		return Env{
			Driver: newDriver(t), Bed: NewBed(t), Spec: spec, Bad: bad,
			Options: guest.MigrateOptions{Algorithm: "precopy", Outage: 20 * time.Millisecond, Timeout: time.Minute},
		}
	})
}

// A guest that was migrated and closed leaves no descriptor, goroutine or process in the controller.
func TestScriptedLeaksNothing(t *testing.T) {
	bed, d, spec := NewBed(t), newDriver(t), NewSpec(t)
	cycle := func() {
		i, err := d.Boot(t.Context(), bed.Source(), spec, new(Log))
		if err != nil {
			t.Fatal(err)
		}
		m, err := i.(guest.Migrator).PrepareMigration(t.Context(), bed.Destination(), guest.MigrateOptions{
			Address: bed.MigrationAddr(testbed.Destination).String(), Port: port,
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := i.(guest.Agented).Agent().Hello(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := m.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := i.Close(); err != nil {
			t.Fatal(err)
		}
	}
	count := func() (fds, goroutines int) {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries), runtime.NumGoroutine()
	}
	cycle()
	fds, goroutines := count()
	for range 20 {
		cycle()
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		f, g := count()
		if f <= fds+2 && g <= goroutines+4 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("after 20 cycles: descriptors %d → %d, goroutines %d → %d", fds, f, goroutines, g)
		}
	}
	left, err := bed.Processes()
	if err != nil || len(left) > 0 {
		t.Errorf("processes left: %v, %v", left, err)
	}
	entries, err := os.ReadDir(spec.Dir)
	if err != nil || len(entries) > 0 {
		t.Errorf("files left: %v, %v", entries, err)
	}
}
