package main

import (
	"maps"
	"path/filepath"
	"time"
	"virtscope/probes"
	"virtscope/probes/capture"
	"virtscope/probes/echo"
	"virtscope/probes/energy"
	"virtscope/probes/usage"
	"virtscope/results"
	"virtscope/testbed"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// captureFile is the pcapng that a trial may keep.
const captureFile = "switch.pcapng"

// Probes implements runner.Site: captures at the switch and at both taps, the echo client on the third host, usage,
// and energy where it was asked for.
func (s *site) Probes(processes func() []guest.Process) ([]probes.Probe, error) {
	p := s.trial.Spec.Probes
	list := []probes.Probe{
		s.captureSwitch(),
		s.captureTap(s.bed.Source()),
		s.captureTap(s.bed.Destination()),
		echo.New(echo.Config{Host: testbed.Client, In: s.bed.Client(), Target: guestEcho(), Interval: time.Duration(p.Echo.Interval)}),
		usage.New(usage.Config{
			Host: machine, Interval: time.Duration(p.Usage.Interval),
			Networks:  []usage.Network{{Host: testbed.Source, In: s.bed.Source()}, {Host: testbed.Destination, In: s.bed.Destination()}},
			Processes: func() []usage.Process { return watched(processes()) },
		}),
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
		Flow: capture.FlowSpec{
			Src: s.bed.MigrationAddr(testbed.Source), Dst: s.bed.MigrationAddr(testbed.Destination), Ports: []uint16{migrationPort},
		},
	}
	switch s.trial.Spec.Probes.Capture.Keep {
	case "headers":
		c.Keep = &capture.KeepConfig{Path: filepath.Join(s.dir, captureFile), Mode: capture.KeepHeaders}
	case "whole":
		c.Keep = &capture.KeepConfig{Path: filepath.Join(s.dir, captureFile), Mode: capture.KeepWhole}
	}
	return capture.New(c)
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
