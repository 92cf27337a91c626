package guesttest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"os"
	"slices"
	"sync"
	"testing"
	"virtscope/results"
	"virtscope/testbed"
	"virtscope/testbed/guest"
)

// nic is the guest's card on the testbeds of tests.
var nic = guest.NIC{Tap: testbed.TapName, MAC: "52:54:00:77:00:10", Address: testbed.GuestAddress}

// NewBed brings up a testbed with a migration network of its own, and takes it down with the test. It skips
// the test without root.
func NewBed(t testing.TB) *testbed.Testbed {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: makes network namespaces")
	}
	id := make([]byte, 4)
	if _, err := rand.Read(id); err != nil {
		t.Fatal(err)
	}
	bed, err := testbed.Up(t.Context(), testbed.Config{
		RunID: hex.EncodeToString(id), MigrationLink: &testbed.Link{}, GuestNIC: nic,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bed.Down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return bed
}

// NewSpec returns the part of a spec that no driver can do without: the card, and folders that go with the test.
func NewSpec(t testing.TB) guest.Spec {
	t.Helper()
	dir, err := os.MkdirTemp("", "vs") // t.TempDir's paths are too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return guest.Spec{Name: "guest", VCPUs: 1, NIC: nic, Dir: dir, LogDir: t.TempDir()}
}

// A Log keeps the records of a test.
type Log struct {
	mu      sync.Mutex
	records []results.Record
}

// Record implements results.Recorder.
func (l *Log) Record(r results.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records = append(l.records, r)
}

// Clear forgets all.
func (l *Log) Clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records = nil
}

// Named returns the records of a name, in the order in which they came.
func (l *Log) Named(name string) []results.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.records), func(r results.Record) bool { return r.Name != name })
}

// last returns the last record of a name on a host, or nil.
func (l *Log) last(name, host string) *results.Record {
	for _, r := range slices.Backward(l.Named(name)) {
		if r.Host == host {
			return &r
		}
	}
	return nil
}
