package capture

import (
	"net"
	"net/netip"
	"virtscope/probes/capture/packet"
	"virtscope/results"
)

// maxCensus is how many MACs, and addresses, are remembered: a guest that invents them does not take all memory.
const maxCensus = 1 << 16

// A census finds each guest's first frame, and identities that two have.
type census struct {
	names map[packet.MAC]string
	moves bool
	ports *ports
	emit  func(results.Record)

	seen    map[packet.MAC]*resident
	holders map[netip.Addr]packet.MAC // of addresses, as ARP claims them
	told    map[conflict]bool
}

// A resident is a MAC that has been seen.
type resident struct {
	index int  // of the interface where it was seen first
	spoke bool // it sent a frame itself
}

// A conflict is told once.
type conflict struct{ kind, value string }

// newCensus is nil without guests.
func newCensus(c Config, ports *ports, emit func(results.Record)) *census {
	if len(c.Guests) == 0 {
		return nil
	}
	return &census{
		names: c.Guests, moves: c.GuestsMove, ports: ports, emit: emit,
		seen: make(map[packet.MAC]*resident), holders: make(map[netip.Addr]packet.MAC), told: make(map[conflict]bool),
	}
}

// observe looks at a decoded frame.
func (c *census) observe(p *packet.Packet, f Frame) {
	reverse := p.Kind == packet.ARP && p.Reverse
	name, known := c.names[p.SrcMAC]
	// A hypervisor announces a guest with the MAC that it was saved with, before the guest is given its own.
	if p.SrcMAC[0]&1 == 0 && p.SrcMAC != (packet.MAC{}) && (known || !reverse) {
		c.locate(p.SrcMAC, name, known, !reverse, f)
	}
	if p.Kind == packet.ARP && !reverse {
		c.claim(p, f)
	}
}

// locate notes where a MAC is. Itself is whether it sent the frame, and not its hypervisor for it.
func (c *census) locate(mac packet.MAC, name string, known, itself bool, f Frame) {
	r := c.seen[mac]
	if r == nil {
		if len(c.seen) == maxCensus {
			return
		}
		r = &resident{index: f.Interface}
		c.seen[mac] = r
	}
	if known && itself && !r.spoke {
		r.spoke = true
		c.emit(results.Record{Time: f.Time, Name: results.BootFrame, Attrs: c.guestAttrs(name, f.Interface)})
	}
	if r.index != f.Interface && !c.moves {
		c.conflict(f.Time, "mac", net.HardwareAddr(mac[:]).String(), c.nameOf(mac), c.ports.of(r.index).name+","+c.ports.of(f.Interface).name)
	}
}

func (c *census) guestAttrs(name string, index int) map[string]string {
	attrs := map[string]string{"port": c.ports.of(index).name}
	if name != "" {
		attrs[results.AttrGuest] = name
	}
	return attrs
}

// claim notes who says that it has an address (RFC 826: the sender's fields). A probe claims none (RFC 5227, section 1.1).
func (c *census) claim(p *packet.Packet, f Frame) {
	if p.SenderIP.IsUnspecified() || p.SenderMAC == (packet.MAC{}) {
		return
	}
	holder, held := c.holders[p.SenderIP]
	switch {
	case !held && len(c.holders) < maxCensus:
		c.holders[p.SenderIP] = p.SenderMAC
	case held && holder != p.SenderMAC:
		c.conflict(f.Time, "address", p.SenderIP.String(), c.nameOf(holder)+","+c.nameOf(p.SenderMAC), c.ports.of(f.Interface).name)
	}
}

func (c *census) nameOf(mac packet.MAC) string {
	if name := c.names[mac]; name != "" {
		return name
	}
	return net.HardwareAddr(mac[:]).String()
}

func (c *census) conflict(at int64, kind, value, guests, ports string) {
	id := conflict{kind, value}
	if c.told[id] {
		return
	}
	c.told[id] = true
	c.emit(results.Record{Time: at, Name: results.IdentityConflict, Attrs: map[string]string{
		"kind": kind, "value": value, "guests": guests, "ports": ports,
	}})
}
