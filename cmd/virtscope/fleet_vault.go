package main

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"sync"
	"virtscope/results"
	"virtscope/runner"
	"virtscope/testbed"
	"virtscope/testbed/checkpoint"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

var _ runner.Vault = (*fleetVault)(nil)

// A fleetVault saves guests that the action starts. Each has a vault of its own: its memory, its card and its name are its own.
type fleetVault struct {
	site *site

	mu     sync.Mutex
	vaults map[int]*checkpoint.Vault // by the guest's number
	of     map[string]int            // whose a checkpoint is
}

func newFleetVault(s *site) *fleetVault {
	return &fleetVault{site: s, vaults: map[int]*checkpoint.Vault{}, of: map[string]int{}}
}

// Save implements runner.Vault.
func (v *fleetVault) Save(ctx context.Context, g guest.Instance, n int, thawed func(), rec results.Recorder) (string, error) {
	number, err := v.site.fleet.numberOf(g)
	if err != nil {
		return "", err
	}
	own, err := v.vault(number)
	if err != nil {
		return "", err
	}
	id, err := own.Save(ctx, g, n, thawed, rec)
	if id != "" {
		v.mu.Lock()
		v.of[id] = number
		v.mu.Unlock()
	}
	return id, err
}

// Verify implements runner.Vault.
func (v *fleetVault) Verify(ctx context.Context, id string, rec results.Recorder) error {
	own, _, err := v.find(id)
	if err != nil {
		return err
	}
	return own.Verify(ctx, id, rec)
}

// Damage implements runner.Vault.
func (v *fleetVault) Damage(ctx context.Context, id, kind string, rec results.Recorder) error {
	own, _, err := v.find(id)
	if err != nil {
		return err
	}
	return own.Damage(ctx, id, kind, rec)
}

// Restore implements runner.Vault.
func (v *fleetVault) Restore(ctx context.Context, id string, h host.Host, rec results.Recorder) (guest.Instance, error) {
	own, number, err := v.find(id)
	if err != nil {
		return nil, err
	}
	g, err := own.Restore(ctx, id, h, rec)
	if err != nil {
		return nil, err
	}
	v.site.fleet.welcome(number, g)
	return g, nil
}

func (v *fleetVault) find(id string) (*checkpoint.Vault, int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	number, ok := v.of[id]
	if !ok {
		return nil, 0, fmt.Errorf("find checkpoint %q: no guest of this trial was saved so", id)
	}
	return v.vaults[number], number, nil
}

// vault is the one of a guest.
func (v *fleetVault) vault(number int) (*checkpoint.Vault, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if own := v.vaults[number]; own != nil {
		return own, nil
	}
	s := v.site
	dir, _, err := s.folders(s.fleet.Name(number) + "-cp")
	if err != nil {
		return nil, err
	}
	own, err := checkpoint.NewVault(checkpoint.Config{
		Places: s.fleet.places(number), Driver: s.Driver(), Dir: dir, Clock: runner.Controller,
		Spec:    func(h host.Host) guest.Spec { return s.fleet.again(number, h) },
		Version: func(host.Host) string { return s.lab.found[fingerprintKey(s.trial.Spec)].Version },
		Options: checkpoint.Options{Mode: "stop", Format: guest.FormatStream, To: checkpoint.ToDisk, Disk: "full", Load: "eager", Keep: jobsKept},
	})
	if err == nil {
		v.vaults[number] = own
	}
	return own, err
}

// jobsKept is how many checkpoints are kept of a job that is preempted: only the last one is restored.
const jobsKept = 1

// places are the fleet's hosts as a guest's checkpoints see them.
func (f *fleet) places(n int) (list []checkpoint.Place) {
	for i, h := range f.hosts {
		list = append(list, checkpoint.Place{
			Host: h, Disk: filepath.Join(f.site.large, "checkpoints-"+h.Name(), f.Name(n)),
			// Any port: several guests may be on their way to one host.
			Address: netip.AddrPortFrom(f.address(i), 0),
		})
	}
	return list
}

// address is where the i-th host takes checkpoints: on the migration link, where it has an end of it.
func (f *fleet) address(i int) netip.Addr {
	if name := testbed.HostName(i); name != testbed.Source && name != testbed.Destination {
		return f.site.bed.LanAddr(name)
	}
	return f.site.bed.MigrationAddr(testbed.HostName(i))
}

// again is guest n as it is made anew of a checkpoint: its sockets, its logs and its disk are not those that it had.
func (f *fleet) again(n int, h host.Host) guest.Spec {
	f.mu.Lock()
	spec := f.specs[n]
	f.mu.Unlock()
	name := fmt.Sprintf("%s-%d", f.Name(n), f.site.restored.Add(1))
	// A folder that cannot be made shows when the guest is started in it.
	spec.Dir, spec.LogDir, _ = f.site.folders(name)
	if d := spec.Disk; d != nil {
		spec.Disk = diskAt(filepath.Join(f.site.large, h.Name()+"-"+name+".img"), d.Format, d.Size, h.Name())
	}
	return spec
}
