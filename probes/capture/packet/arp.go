package packet

import (
	"encoding/binary"
	"net/netip"
)

// ARP operations (RFC 826).
const (
	Request = 1
	Reply   = 2
)

// arpLen is the length of ARP and RARP for Ethernet and IPv4.
const arpLen = 28

// arp decodes ARP and RARP (RFC 903) for Ethernet and IPv4; for others the kind stays Other.
func (p *Packet) arp(data []byte, passed int) error {
	if len(data) < 8 {
		return short(data, 8, passed)
	}
	if binary.BigEndian.Uint16(data[2:]) != etherIPv4 || data[4] != 6 || data[5] != 4 {
		return nil
	}
	if len(data) < arpLen {
		return short(data, arpLen, passed)
	}
	p.Kind = ARP
	p.Reverse = p.EtherType == etherRARP
	p.Operation = binary.BigEndian.Uint16(data[6:])
	copy(p.SenderMAC[:], data[8:])
	p.SenderIP = netip.AddrFrom4([4]byte(data[14:18]))
	copy(p.TargetMAC[:], data[18:])
	p.TargetIP = netip.AddrFrom4([4]byte(data[24:28]))
	return nil
}

// Gratuitous reports whether a packet of kind ARP announces its sender: one that asks for, or answers with, its own
// address (RFC 5227, section 3), or a reply that nobody asked for, to all. A link that does not keep the receiver's
// address shows only the former.
func (p *Packet) Gratuitous() bool {
	if p.Kind != ARP || p.Reverse || p.Operation != Request && p.Operation != Reply {
		return false
	}
	toAll := p.DstMAC[0]&1 == 1 // broadcast or multicast
	return p.SenderIP == p.TargetIP || p.Operation == Reply && toAll
}
