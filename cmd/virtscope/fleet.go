package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"sync"
	"time"
	"virtscope/experiments/spec"
	"virtscope/probes/ready"
	"virtscope/results"
	"virtscope/runner"
	"virtscope/testbed"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/host"
	"virtscope/testbed/provision"
	"virtscope/testbed/substrate"
)

var _ runner.Fleet = (*fleet)(nil)

// A fleet is the guests of a trial whose action starts them.
type fleet struct {
	site   *site
	hosts  []host.Host
	disks  *provision.Provisioner // nil without a disk
	waiter *ready.Waiter
	saved  map[string]*substrate.Saved // by host; empty where guests boot
	pool   pool

	mu    sync.Mutex
	live  map[int]guest.Instance // the last one of each guest
	specs map[int]guest.Spec     // what it was made with
}

func (s *site) makeFleet() error {
	if !s.trial.Spec.Action.Fleet() {
		return nil
	}
	f := &fleet{
		site: s, saved: map[string]*substrate.Saved{}, live: map[int]guest.Instance{}, specs: map[int]guest.Spec{},
		waiter: ready.New(ready.Config{Host: s.client().Name(), In: s.client()}),
	}
	for i := range fleetHosts(s.trial.Spec) {
		f.hosts = append(f.hosts, s.bed.GuestHost(i))
	}
	s.fleet = f
	return nil
}

// Fleet implements runner.Site.
func (s *site) Fleet() runner.Fleet { return s.fleet }

// Hosts implements runner.Fleet.
func (f *fleet) Hosts() []host.Host { return f.hosts }

// Name implements runner.Fleet.
func (f *fleet) Name(n int) string { return fleetName(n) }

func fleetName(n int) string { return fmt.Sprintf("guest-%d", n+1) }

// Identity implements runner.Fleet.
func (f *fleet) Identity(n int) agent.Identity {
	nic := testbed.GuestNIC(n)
	id := agent.Identity{Name: fleetName(n), Address: nic.Address, MAC: nic.MAC}
	if f.site.trial.Spec.Guest.Start != "cold" && f.site.trial.Spec.Guest.Image != imageBuiltin {
		id.MachineID = machineID(f.site.trial.ID, n)
	}
	return id
}

// Prepare implements runner.Fleet.
func (f *fleet) Prepare(ctx context.Context, rec results.Recorder) error {
	if err := f.prepareDisks(ctx, rec); err != nil {
		return err
	}
	if f.site.trial.Spec.Guest.Start == "cold" {
		return nil
	}
	return f.prepareSaved(ctx, rec)
}

// Start implements runner.Fleet.
func (f *fleet) Start(ctx context.Context, n int, h host.Host, memory int64, rec results.Recorder) (guest.Instance, error) {
	rec = guest.Named(rec, f.Name(n))
	start := f.boot
	if f.site.trial.Spec.Guest.Start != "cold" {
		start = f.activate
	}
	g, err := start(ctx, n, h, memory, rec)
	if err != nil {
		return nil, err
	}
	f.welcome(n, g)
	return g, nil
}

// welcome notes that guest n is this instance now.
func (f *fleet) welcome(n int, g guest.Instance) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.live[n] = g
}

// made notes what guest n is made with.
func (f *fleet) made(n int, spec guest.Spec) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.specs[n] = spec
}

// numberOf is whose instance it is.
func (f *fleet) numberOf(g guest.Instance) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for n, other := range f.live {
		if other == g {
			return n, nil
		}
	}
	return 0, errors.New("the guest is none that this trial started")
}

// boot brings a guest's disk and boots it.
func (f *fleet) boot(ctx context.Context, n int, h host.Host, memory int64, rec results.Recorder) (guest.Instance, error) {
	spec, err := f.specOf(n, f.Name(n), memory)
	if err != nil {
		return nil, err
	}
	if f.disks != nil {
		path := f.diskPath(n, h)
		if err := f.disks.Provide(ctx, f.Name(n), h, path, rec); err != nil {
			return nil, err
		}
		spec.Disk = diskAt(path, f.disks.Format(), f.site.lab.bootable(f.site.trial.Spec).template.Size, h.Name())
	}
	f.made(n, spec)
	return f.site.Driver().Boot(ctx, h, spec, rec)
}

// specOf is guest n without a disk, with folders under the name folder.
func (f *fleet) specOf(n int, folder string, memory int64) (guest.Spec, error) {
	dir, logDir, err := f.site.folders(folder)
	if err != nil {
		return guest.Spec{}, err
	}
	o := own{name: f.Name(n), nic: testbed.GuestNIC(n), dir: dir, logDir: logDir, memory: memory}
	spec := f.site.specOf(o)
	if f.site.trial.Spec.Guest.OwnImage() {
		spec.Start.Seed, err = f.site.makeSeed(o)
	}
	return spec, err
}

func (f *fleet) diskPath(n int, h host.Host) string {
	return filepath.Join(f.site.large, h.Name()+"-"+f.Name(n)+".img")
}

// Await implements runner.Fleet.
func (f *fleet) Await(ctx context.Context, n int, rec results.Recorder) error {
	t := ready.Target{Method: ready.Echo, Addr: netip.MustParsePrefix(testbed.GuestNIC(n).Address).Addr()}
	if b := f.site.trial.Spec.Action.Boot; b != nil {
		t.Method = b.Ready
		if b.Ready == ready.Port || b.Ready == ready.HTTP {
			t.Port, t.Path = uint16(b.ReadyPort), b.ReadyPath
		}
	}
	return f.waiter.Await(ctx, t, guest.Named(rec, f.Name(n)))
}

// close ends what the fleet made, when its guests have ended.
func (f *fleet) close(ctx context.Context) error {
	errs := []error{f.waiter.Close(discard{}), f.pool.close()}
	if f.disks != nil {
		errs = append(errs, f.disks.Close(ctx))
	}
	return errors.Join(errs...)
}

// fleetHosts is how many hosts the action starts guests on.
func fleetHosts(s *spec.Experiment) int {
	switch a := s.Action; {
	case a.Boot != nil:
		return a.Boot.Hosts
	case a.Jobs != nil:
		return a.Jobs.Hosts
	}
	return 0
}

// fleetSize is how many guests the action may start, each with an identity of its own; 0 is an action that starts none.
func fleetSize(s *spec.Experiment) int {
	switch a := s.Action; {
	case a.Boot != nil:
		return a.Boot.Guests
	case a.Jobs != nil:
		return min(2*jobCount(a.Jobs), testbed.MaxGuests)
	}
	return 0
}

// bootLimit bounds the boot of a guest that is only booted to be saved: as long as the runner gives any, and as the rule for a trial's
// timeout allows for.
const bootLimit = 90 * time.Second

// discard keeps nothing: what happens to guests that are no part of a trial is none of its records.
type discard struct{}

// Record implements results.Recorder.
func (discard) Record(results.Record) {}
