package main

import (
	"net"
	"net/netip"
	"time"
	"virtscope/probes"
	"virtscope/probes/capture"
	"virtscope/probes/capture/packet"
	"virtscope/probes/energy"
	"virtscope/probes/usage"
	"virtscope/results"
	"virtscope/testbed"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// fleetProbes watch guests that the action starts: their first frames at the switch and at their hosts' taps, what image servers
// send, and what all of it costs. Who waits for their first answers is the fleet.
func (s *site) fleetProbes(processes func() []guest.Process) []probes.Probe {
	p := s.trial.Spec.Probes
	var networks []usage.Network
	list := []probes.Probe{capture.New(s.kept(capture.Config{
		Name: results.SourceCaptureSwitch, Host: switchName, In: s.bed.Switch(), Exclude: s.bed.SwitchBridges(), Ports: s.bed.SwitchPorts(),
		Guests: s.fleet.macs(), GuestsMove: s.vault != nil, Flows: s.imageFlows(),
	}))}
	for _, h := range s.fleet.hosts {
		in, ok := h.(*host.Netns)
		if !ok {
			continue // every host of this testbed is one
		}
		ports, exclude := s.bed.TapPorts(h.Name())
		list = append(list, capture.New(capture.Config{
			Name: results.SourceCapturePrefix + h.Name(), Host: h.Name(), In: in, Exclude: exclude, Ports: ports,
			Guests: s.fleet.macs(), GuestsMove: s.vault != nil,
		}))
		networks = append(networks, usage.Network{Host: h.Name(), In: in})
	}
	if h := s.bed.Store(); h != nil {
		networks = append(networks, usage.Network{Host: h.Name(), In: h})
	}
	list = append(list, usage.New(usage.Config{
		Host: machine, Interval: time.Duration(p.Usage.Interval), Networks: networks,
		Processes: func() []usage.Process { return watched(processes()) },
	}))
	if p.Energy.Interval > 0 {
		list = append(list, energy.New(energy.Config{Host: machine, Interval: time.Duration(p.Energy.Interval)}))
	}
	return list
}

// macs are the guests that there may be.
func (f *fleet) macs() map[packet.MAC]string {
	all := map[packet.MAC]string{}
	for n := range fleetSize(f.site.trial.Spec) {
		mac, err := net.ParseMAC(testbed.GuestNIC(n).MAC)
		if err != nil {
			continue // GuestNIC makes them
		}
		all[packet.MAC(mac)] = f.Name(n)
	}
	return all
}

// manyFlows is how many pairs of image server and host are counted each by itself: each frame is held against all.
const manyFlows = 64

// imageFlows are what passes between image servers and those who ask them.
func (s *site) imageFlows() (list []capture.FlowSpec) {
	if s.fleet.disks == nil {
		return nil
	}
	for _, server := range s.fleet.disks.Servers() {
		to, err := netip.ParseAddr(server.Addr)
		if err != nil {
			continue // it is the testbed's
		}
		for _, h := range s.fleet.hosts {
			if h.Name() == server.Host {
				continue // it does not pass the switch
			}
			list = append(list, capture.FlowSpec{
				Name: results.FlowImage, Asks: h.Name(), Serves: server.Host, Src: s.bed.LanAddr(h.Name()), Dst: to,
				Ports: []uint16{uint16(server.Port)}, Bin: clientBin,
			})
		}
	}
	if len(list) <= manyFlows {
		return list
	}
	list = nil
	for _, server := range s.fleet.disks.Servers() {
		if to, err := netip.ParseAddr(server.Addr); err == nil {
			list = append(list, capture.FlowSpec{Name: results.FlowImage, Serves: server.Host, Dst: to, Ports: []uint16{uint16(server.Port)}, Bin: clientBin})
		}
	}
	return list
}
