package main

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"virtscope/probes/capture"
	"virtscope/results"
	"virtscope/runner"
	"virtscope/testbed"
	"virtscope/testbed/checkpoint"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// checkpointPort is where a host takes a checkpoint that another sends, and serves one that another asks for.
const checkpointPort = 4446

// Vault implements runner.Site.
func (s *site) Vault() runner.Vault { return s.vault }

// makeVault makes what saves the trial's guest, where the action saves one.
func (s *site) makeVault() error {
	if jobs := s.trial.Spec.Action.Jobs; jobs != nil && jobs.Preempt != "none" {
		s.vault = newFleetVault(s)
		return nil
	}
	save := saving(s.trial.Spec)
	if save == nil {
		return nil
	}
	o := checkpoint.Options{
		Mode: save.Mode, Format: save.Format, To: save.To, Compression: save.Compression, Disk: save.Disk, Load: save.Load, Keep: save.Keep,
	}
	v, err := checkpoint.NewVault(checkpoint.Config{
		Places: s.places(), Driver: s.Driver(), Spec: s.restoredSpec, Options: o, Dir: s.scratch, Clock: runner.Controller,
		Version: func(host.Host) string { return s.lab.found[fingerprintKey(s.trial.Spec)].Version },
	})
	if err != nil {
		return err
	}
	s.vault = v
	return nil
}

func (s *site) places() (list []checkpoint.Place) {
	for _, h := range []*host.Netns{s.bed.Source(), s.bed.Destination()} {
		p := checkpoint.Place{
			Host: h, Disk: filepath.Join(s.large, "checkpoints-"+h.Name()),
			Address: netip.AddrPortFrom(s.bed.MigrationAddr(h.Name()), checkpointPort),
		}
		if s.memory != "" {
			p.Memory = filepath.Join(s.memory, "checkpoints-"+h.Name())
		}
		list = append(list, p)
	}
	return list
}

// restoredSpec is the trial's guest as it is made of a checkpoint: each is new, so its sockets, logs and disk are its own.
func (s *site) restoredSpec(host.Host) guest.Spec {
	spec := s.guest()
	n := s.restored.Add(1)
	name := fmt.Sprintf("restored-%d", n)
	// A folder that cannot be made shows when the guest is started in it.
	spec.Dir, spec.LogDir, _ = s.folders(name)
	if spec.Start.MemoryFile != "" {
		spec.Start.MemoryFile = filepath.Join(s.memory, name)
	}
	if d := spec.Disk; d != nil {
		spec.Disk = diskAt(filepath.Join(s.large, "disk-"+name+".img"), d.Format, d.Size, bothEnds...)
	}
	return spec
}

var _ runner.Vault = (*checkpoint.Vault)(nil)

// checkpointFlows are checkpoints on their way from host to host, either way.
func (s *site) checkpointFlows() (list []capture.FlowSpec) {
	ends := []string{testbed.Source, testbed.Destination}
	for i, from := range ends {
		list = append(list, capture.FlowSpec{
			Name: results.FlowCheckpoint, Asks: from, Src: s.bed.MigrationAddr(from), Dst: s.bed.MigrationAddr(ends[1-i]),
			Ports: []uint16{checkpointPort}, Bin: clientBin,
		})
	}
	return list
}
