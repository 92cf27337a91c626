package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
	"virtscope/experiments/plan"
	"virtscope/experiments/spec"
	"virtscope/probes"
	"virtscope/results"
	"virtscope/runner"
	"virtscope/testbed"
	"virtscope/testbed/checkpoint"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// The local testbed's hosts and the guest's card. Everything stands in namespaces of its own, so the same
// addresses serve every run.
const (
	switchName   = "switch"
	machine      = "machine" // this machine as a whole
	guestMAC     = "52:54:00:77:00:10"
	guestAddress = "10.77.0.10/24"
	echoPort     = 7
)

func bedConfig(id runID, s *spec.Experiment) testbed.Config {
	c := testbed.Config{
		RunID: id.short, Hosts: s.Testbed.Hosts, Store: usesStore(s),
		Emulator: s.Testbed.Emulator, RelayCommand: []string{selfPath(), frameRelayName},
		Link: link(s.Testbed.Link),
	}
	if n := fleetSize(s); n > 0 {
		for i := range n {
			c.Guests = append(c.Guests, testbed.GuestNIC(i))
		}
		c.GuestHosts = fleetHosts(s)
	} else {
		c.GuestNIC = guestNIC()
	}
	if m := s.Testbed.MigrationLink; m != nil {
		own := link(*m)
		c.MigrationLink = &own
	}
	return c
}

func link(l spec.Link) testbed.Link {
	l = l.Effective()
	return testbed.Link{
		Rate: float64(l.Rate), Upload: float64(l.Upload), Queue: time.Duration(l.Queue), Delay: time.Duration(l.Delay),
		Jitter: time.Duration(l.Jitter), Loss: l.Loss,
	}
}

var _ runner.Site = (*site)(nil)

// A site is one trial's testbed.
type site struct {
	lab     *lab
	bed     *testbed.Testbed
	trial   plan.Trial
	dir     string // the trial's folder
	scratch string // for sockets
	large   string // for disks and memory
	memory  string // for what is meant to lie in memory; empty where nothing is
	disk    *guest.Disk

	vault    runner.Vault // nil before the first use
	fleet    *fleet       // likewise
	restored atomic.Int64 // guests that were made of checkpoints
}

func (s *site) Source() host.Host      { return s.bed.Source() }
func (s *site) Destination() host.Host { return s.bed.Destination() }
func (s *site) Driver() guest.Driver   { return s.lab.drivers[s.trial.Spec.Guest.Driver] }

// Start implements runner.Site.
func (s *site) Start(ctx context.Context, rec results.Recorder) (guest.Instance, error) {
	if s.trial.Spec.Guest.Start == startWarm {
		return s.startWarm(ctx, rec)
	}
	return s.Driver().Boot(ctx, s.Source(), s.guest(), rec)
}

// KillHost implements runner.Site.
func (s *site) KillHost(ctx context.Context, h host.Host) error {
	if err := s.bed.KillHost(ctx, h.Name()); err != nil {
		return err
	}
	if v, ok := s.vault.(*checkpoint.Vault); ok {
		return v.HostDied(h)
	}
	return nil
}

// guest is the trial's own guest, where the action starts none.
func (s *site) guest() guest.Spec {
	spec := s.specOf(own{name: "guest", nic: guestNIC(), dir: s.scratch, logDir: s.dir})
	spec.Disk = s.disk
	if keepsMemoryFile(s.trial.Spec) {
		spec.Start.MemoryFile = filepath.Join(s.memory, "live")
	}
	return spec
}

func (s *site) Migration() guest.MigrateOptions {
	o, _ := migrateOptions(s.trial.Spec) // it was checked before the run
	o.Address = s.bed.MigrationAddr(testbed.Destination).String()
	o.File = filepath.Join(s.large, "memory")
	return o
}

// Facts implements runner.Site. The hosts are this machine, so what was found before the run holds.
func (s *site) Facts(context.Context) ([]results.Fact, error) {
	return s.lab.found[fingerprintKey(s.trial.Spec)].Facts, nil
}

// Warnings implements runner.Site.
func (s *site) Warnings() []string { return s.lab.warnings[migrationKey(s.trial.Spec)] }

// Clocks implements runner.Site. Every host of this testbed reads this machine's clock.
func (s *site) Clocks(context.Context) ([]results.Record, error) {
	now := time.Now()
	var list []results.Record
	names := []string{testbed.Client, switchName, machine}
	for _, h := range s.bed.GuestHosts() {
		names = append(names, h.Name())
	}
	if h := s.bed.Store(); h != nil {
		names = append(names, h.Name())
	}
	for _, name := range names {
		list = append(list, probes.SameKernel().Record(runner.Controller, results.SourceRunner, name, now))
	}
	return list, nil
}

// Down implements runner.Site.
func (s *site) Down(ctx context.Context) error {
	var errs []error
	if s.fleet != nil {
		errs = append(errs, s.fleet.close(ctx))
	}
	errs = append(errs, s.bed.Down(ctx), os.RemoveAll(s.scratch), os.RemoveAll(s.large))
	if s.memory != "" {
		errs = append(errs, os.RemoveAll(s.memory))
	}
	return errors.Join(errs...)
}

func guestNIC() guest.NIC {
	return guest.NIC{Tap: testbed.TapName, MAC: guestMAC, Address: guestAddress}
}

// guestEcho is where the guest answers.
func guestEcho() netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParsePrefix(guestAddress).Addr(), echoPort)
}

// hardwareAddr is guestMAC as bytes.
func hardwareAddr() net.HardwareAddr {
	mac, _ := net.ParseMAC(guestMAC) // a valid constant
	return mac
}
