package packet

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// UDP ports of tunnels (IANA).
const (
	portVXLAN  = 4789
	portGENEVE = 6081
)

// etherBridged is a whole Ethernet frame in GENEVE or GRE (RFC 1701, transparent Ethernet bridging).
const etherBridged = 0x6558

// Inner gives the frame in a packet of a tunnel (VXLAN, GENEVE, GRE), for another Packet to decode: of length bytes, data
// was captured. It is false for a packet of no such tunnel, or if the tunnel's header was cut or makes no sense.
func (p *Packet) Inner() (link Link, data []byte, length int, ok bool) {
	head, carried := 0, uint16(0)
	switch {
	case p.Kind == GRE:
		head, carried = gre(p.Payload)
	case p.Kind == UDP && p.Dst.Port() == portVXLAN:
		head, carried = vxlan(p.Payload)
	case p.Kind == UDP && p.Dst.Port() == portGENEVE:
		head, carried = geneve(p.Payload)
	}
	if head == 0 || len(p.Payload) < head {
		return 0, nil, 0, false
	}
	switch carried {
	case etherBridged:
		link = Ethernet
	case etherIPv4, etherIPv6:
		link = RawIP
	default:
		return 0, nil, 0, false
	}
	return link, p.Payload[head:], p.PayloadLength - head, true
}

// vxlan has a header of 8 B in front of a frame (RFC 7348).
func vxlan(b []byte) (head int, carried uint16) {
	const valid = 0x08
	if len(b) < 8 || b[0]&valid == 0 {
		return 0, 0
	}
	return 8, etherBridged
}

// geneve has 8 B and options (RFC 8926).
func geneve(b []byte) (head int, carried uint16) {
	if len(b) < 8 || b[0]>>6 != 0 {
		return 0, 0
	}
	return 8 + int(b[0]&0x3f)*4, binary.BigEndian.Uint16(b[2:])
}

// gre has 4 B, and 4 more each for a check sum, a key and a sequence number (RFC 2784, RFC 2890).
func gre(b []byte) (head int, carried uint16) {
	if len(b) < 4 {
		return 0, 0
	}
	const routing, version, more = 0x4000, 0x0007, 0xb000
	flags := binary.BigEndian.Uint16(b)
	if flags&(routing|version) != 0 {
		return 0, 0
	}
	return 4 + 4*bits.OnesCount16(flags&more), binary.BigEndian.Uint16(b[2:])
}

// tunnelled notes a GRE packet.
func (p *Packet) tunnelled(src, dst netip.Addr, data []byte, size int) {
	p.Src, p.Dst = netip.AddrPortFrom(src, 0), netip.AddrPortFrom(dst, 0)
	p.Payload, p.PayloadLength = data, size
	p.Kind = GRE
}
