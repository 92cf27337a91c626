package capture

import (
	"cmp"
	"fmt"
	"math"
	"net"
	"net/netip"
	"slices"
	"virtscope/probes/capture/packet"
)

// A FlowMatch names TCP segments: those whose sender, or whose receiver, is at Addr and one of Ports. The zero value
// names all TCP.
type FlowMatch struct {
	Addr  netip.Addr // not valid: any, IPv4 and IPv6; a zone is left out of account
	Ports []uint16   // none: any
	Snap  int        // B of each frame to capture; 0 is all
}

// A Filter says which frames are captured. The zero value captures all. Otherwise a frame is captured if any part of
// the filter names it, and as many bytes of it as the most generous part wants.
//
// Flows see through up to two VLAN tags that are still in the frame, IPv4 options, and up to three IPv6 extension
// headers (hop-by-hop, as BIG TCP has, routing, destination, fragment). Of a fragmented segment only the first fragment
// tells its ports, so the others are not captured. A frame that ends before the ports is none of a flow.
//
// On links without an Ethernet header only Flows can match; on those that are neither Ethernet nor raw IP nothing does.
type Filter struct {
	Flows []FlowMatch
	MACs  []net.HardwareAddr // frames from or to these Ethernet addresses
	ARP   bool               // ARP and RARP frames
	Snap  int                // B of frames that MACs or ARP name; 0 is all
}

func (f Filter) empty() bool { return len(f.Flows) == 0 && len(f.MACs) == 0 && !f.ARP }

// A group is flows that differ only in their address.
type group struct {
	ports []uint16 // sorted, without repetition; none is any
	snap  uint32
	any   bool         // any address
	v4    []netip.Addr // sorted, without repetition
	v6    []netip.Addr // likewise
}

// unlimited is what a filter returns for a frame that is not cut.
const unlimited = math.MaxUint32

// A matcher is a filter that was checked.
type matcher struct {
	all    bool
	snap   uint32 // with all
	groups []group
	macs   []packet.MAC
	arp    bool
	other  uint32 // snap of macs and arp
}

// check makes a matcher that never captures more than snap B of a frame; 0 is no limit.
func (f Filter) check(snap int) (matcher, error) {
	limit, err := snapOf(snap)
	if err != nil {
		return matcher{}, fmt.Errorf("filter frames: %w", err)
	}
	m := matcher{all: f.empty(), snap: limit, arp: f.ARP}
	if m.other, err = snapOf(f.Snap); err != nil {
		return matcher{}, fmt.Errorf("filter frames: %w", err)
	}
	m.other = min(m.other, limit)
	for _, hw := range f.MACs {
		if len(hw) != len(packet.MAC{}) {
			return matcher{}, fmt.Errorf("filter frames of %s: an Ethernet address has 6 B, this one %d", hw, len(hw))
		}
		m.macs = append(m.macs, packet.MAC(hw))
	}
	for _, flow := range f.Flows {
		n, err := snapOf(flow.Snap)
		if err != nil {
			return matcher{}, fmt.Errorf("filter flow %s %v: %w", flow.Addr, flow.Ports, err)
		}
		m.group(flow, min(n, limit))
	}
	for i := range m.groups {
		g := &m.groups[i]
		slices.SortFunc(g.v4, netip.Addr.Compare)
		slices.SortFunc(g.v6, netip.Addr.Compare)
		g.v4, g.v6 = slices.Compact(g.v4), slices.Compact(g.v6)
	}
	// The first that matches decides: the most generous must be asked first.
	slices.SortStableFunc(m.groups, func(a, b group) int { return cmp.Compare(b.snap, a.snap) })
	return m, nil
}

// longest is how much of a frame is captured at most; 0 is no limit.
func (m matcher) longest() int {
	longest := m.snap
	if !m.all {
		longest = 0
		for _, g := range m.groups {
			longest = max(longest, g.snap)
		}
		if m.arp || len(m.macs) > 0 {
			longest = max(longest, m.other)
		}
	}
	if longest == unlimited {
		return 0
	}
	return int(longest)
}

// snapOf is what a filter returns for a snap length.
func snapOf(n int) (uint32, error) {
	switch {
	case n < 0 || n > math.MaxInt32:
		return 0, fmt.Errorf("snap length %d B: it must be 0 (all) or between 1 and %d", n, math.MaxInt32)
	case n == 0:
		return unlimited, nil
	}
	return uint32(n), nil
}

// group puts a flow to those with the same ports and snap length.
func (m *matcher) group(f FlowMatch, snap uint32) {
	ports := slices.Compact(slices.Sorted(slices.Values(f.Ports)))
	i := slices.IndexFunc(m.groups, func(g group) bool { return g.snap == snap && slices.Equal(g.ports, ports) })
	if i < 0 {
		i = len(m.groups)
		m.groups = append(m.groups, group{ports: ports, snap: snap})
	}
	g, addr := &m.groups[i], f.Addr.Unmap().WithZone("")
	switch {
	case !addr.IsValid():
		g.any = true
	case addr.Is4():
		g.v4 = append(g.v4, addr)
	case addr.Is6():
		g.v6 = append(g.v6, addr)
	}
}
