package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"
	"virtscope/experiments/plan"
	"virtscope/experiments/spec"
	"virtscope/probes"
	"virtscope/results"
	"virtscope/runner"
	"virtscope/testbed"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
	"virtscope/testbed/image"
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
		RunID:    id.short,
		Emulator: s.Testbed.Emulator, RelayCommand: []string{selfPath(), frameRelayName},
		Link:     link(s.Testbed.Link),
		GuestNIC: guestNIC(),
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
}

func (s *site) Source() host.Host      { return s.bed.Source() }
func (s *site) Destination() host.Host { return s.bed.Destination() }
func (s *site) Driver() guest.Driver   { return s.lab.drivers[s.trial.Spec.Guest.Driver] }

// Start implements runner.Site.
func (s *site) Start(ctx context.Context, rec results.Recorder) (guest.Instance, error) {
	return s.Driver().Boot(ctx, s.Source(), s.guest(), rec)
}

// Fleet implements runner.Site.
func (s *site) Fleet() runner.Fleet { return nil }

// Vault implements runner.Site.
func (s *site) Vault() runner.Vault { return nil }

// KillHost implements runner.Site.
func (s *site) KillHost(context.Context, host.Host) error { return nil }

func (s *site) guest() guest.Spec {
	g := s.trial.Spec.Guest
	img := s.lab.images[g.Kernel]
	return guest.Spec{
		Name: "guest", Memory: int64(g.Memory), VCPUs: g.VCPUs,
		Kernel: img.Kernel, Initrd: img.Initrd, Append: kernelAppend(),
		Binary: g.QEMU.Binary, DestinationBinary: g.QEMU.DestinationBinary, Accel: g.Accel, Machine: g.QEMU.Machine,
		DirtyRing: g.QEMU.DirtyRing,
		Disk:      guestDisk(s.trial.Spec, s.large), Root: s.lab.rootOf(s.trial.Spec).Path,
		NIC: guestNIC(),
		Dir: s.scratch, LogDir: s.dir,
	}
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
	for _, name := range []string{testbed.Source, testbed.Destination, testbed.Client, switchName, machine} {
		list = append(list, probes.SameKernel().Record(runner.Controller, results.SourceRunner, name, now))
	}
	return list, nil
}

// Down implements runner.Site.
func (s *site) Down(ctx context.Context) error {
	return errors.Join(s.bed.Down(ctx), os.RemoveAll(s.scratch), os.RemoveAll(s.large))
}

// kernelAppend is the guest kernel's command line.
func kernelAppend() string { return image.Append + " " + image.AddressParam + "=" + guestAddress }

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
