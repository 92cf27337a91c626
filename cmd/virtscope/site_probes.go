package main

import (
	"maps"
	"net"
	"net/netip"
	"path/filepath"
	"time"
	"virtscope/experiments/spec"
	"virtscope/probes"
	"virtscope/probes/capture"
	"virtscope/probes/capture/packet"
	"virtscope/probes/echo"
	"virtscope/probes/energy"
	"virtscope/probes/usage"
	"virtscope/probes/wire"
	"virtscope/results"
	"virtscope/testbed"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// qemuDriver is the driver whose stream is read.
const qemuDriver = "qemu"

// captureFile is the pcapng that a trial may keep.
const captureFile = "switch.pcapng"

// Probes implements runner.Site: captures at the switch and at both taps, the echo and load clients on their host, usage,
// and energy where it was asked for.
func (s *site) Probes(processes func() []guest.Process) ([]probes.Probe, error) {
	if s.trial.Spec.Action.Fleet() {
		return s.fleetProbes(processes), nil
	}
	p := s.trial.Spec.Probes
	list := []probes.Probe{
		s.captureSwitch(),
		s.captureTap(s.bed.Source()),
		s.captureTap(s.bed.Destination()),
		echo.New(echo.Config{Host: s.client().Name(), In: s.client(), Target: guestEcho(), Interval: time.Duration(p.Echo.Interval), Heard: s.heard()}),
		usage.New(usage.Config{
			Host: machine, Interval: time.Duration(p.Usage.Interval),
			Networks:  []usage.Network{{Host: testbed.Source, In: s.bed.Source()}, {Host: testbed.Destination, In: s.bed.Destination()}},
			Processes: func() []usage.Process { return watched(processes()) },
		}),
	}
	list = append(list, s.loads()...)
	if decodes(s.trial.Spec) {
		list = append(list, s.decodeStream())
	}
	if p.Energy.Interval > 0 {
		list = append(list, energy.New(energy.Config{Host: machine, Interval: time.Duration(p.Energy.Interval)}))
	}
	return list, nil
}

func (s *site) captureSwitch() probes.Probe {
	ports := s.bed.SwitchPorts()
	maps.Copy(ports, s.bed.MigrationPorts())
	c := capture.Config{
		Name: results.SourceCaptureSwitch, Host: switchName, In: s.bed.Switch(),
		Exclude: s.bed.SwitchBridges(), Ports: ports, GuestMAC: hardwareAddr(),
		Flow:  s.flow(results.FlowMigration, migrationPort),
		Flows: s.otherFlows(),
	}
	return capture.New(s.kept(c))
}

// kept lets a capture of the switch keep what the experiment asks for.
func (s *site) kept(c capture.Config) capture.Config {
	switch s.trial.Spec.Probes.Capture.Keep {
	case "headers":
		c.Keep = &capture.KeepConfig{Path: filepath.Join(s.dir, captureFile), Mode: capture.KeepHeaders}
	case "whole":
		c.Keep = &capture.KeepConfig{Path: filepath.Join(s.dir, captureFile), Mode: capture.KeepWhole}
	}
	return c
}

// flow is what passes from the source to a port of the destination.
func (s *site) flow(name string, ports ...uint16) capture.FlowSpec {
	return capture.FlowSpec{
		Name: name, Src: s.bed.MigrationAddr(testbed.Source), Dst: s.bed.MigrationAddr(testbed.Destination), Ports: ports,
	}
}

// clientBin is the width of the bins in which the client's traffic is counted: it is for a curve.
const clientBin = 10 * time.Millisecond

// otherFlows are what passes beside the memory: the disk, and what the load client and the guest say to each other.
func (s *site) otherFlows() []capture.FlowSpec {
	var list []capture.FlowSpec
	if d := s.trial.Spec.Guest.Disk; d != nil {
		list = append(list, s.flow(results.FlowDisk, diskPort))
	}
	if s.vault != nil {
		list = append(list, s.checkpointFlows()...)
	}
	client := capture.FlowSpec{Name: results.FlowClient, Dst: guestEcho().Addr(), UDP: true, Bin: clientBin}
	for _, kind := range s.trial.Spec.Workload.Parts() {
		if c, serves := loadConfig(s.trial.Spec, kind); serves {
			client.Ports = append(client.Ports, c.Target.Port())
		}
	}
	if len(client.Ports) > 0 {
		list = append(list, client)
	}
	return list
}

// decodes reports whether an experiment's migration stream is read.
func decodes(e *spec.Experiment) bool {
	return e.Action.Migrate != nil && e.Probes.Capture.Decode != nil && *e.Probes.Capture.Decode && e.Guest.Driver == qemuDriver
}

// guestSnap is how much of a guest's frame is looked at beside the stream: its headers.
const guestSnap = 128

// decodeStream reads the migration's stream as it enters the switch, with the frames of the guest that bound its outage.
func (s *site) decodeStream() probes.Probe {
	ports := []uint16{migrationPort}
	if s.trial.Spec.Guest.Disk != nil {
		ports = append(ports, diskPort)
	}
	mac := packet.MAC(hardwareAddr())
	return wire.NewProbe(wire.ProbeConfig{
		Session: wire.Config{
			Host: switchName, Guests: true, Asked: func(m packet.MAC, _ netip.Addr) bool { return m == mac },
		},
		Ports: s.bed.SwitchPorts(),
		Live: capture.LiveOptions{
			In: s.bed.Switch(), Exclude: s.bed.SwitchBridges(),
			Filter: capture.Filter{
				Flows: []capture.FlowMatch{{Addr: s.bed.MigrationAddr(testbed.Destination), Ports: ports}},
				MACs:  []net.HardwareAddr{hardwareAddr()}, ARP: true, Snap: guestSnap,
			},
		},
	})
}

func (s *site) captureTap(h *host.Netns) probes.Probe {
	return capture.New(capture.Config{
		Name: results.SourceCapturePrefix + h.Name(), Host: h.Name(), In: h,
		Interface: s.bed.Tap(), Ports: map[string]string{s.bed.Tap(): h.Name()}, GuestMAC: hardwareAddr(),
	})
}

// watched says the same in the usage probe's words.
func watched(list []guest.Process) []usage.Process {
	out := make([]usage.Process, 0, len(list))
	for _, p := range list {
		out = append(out, usage.Process{Host: p.Host, Role: p.Role, PID: p.PID})
	}
	return out
}

// heard is how often an answer is recorded while the train runs: whoever detects failures by it must not wait for its end.
func (s *site) heard() time.Duration {
	if r := s.trial.Spec.Action.Recover; r != nil && r.Detect == "echo" {
		return 10 * time.Millisecond
	}
	return 0
}
