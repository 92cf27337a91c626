package capture

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// etherTypeRARP is reverse ARP (RFC 903), which gopacket has no name for.
const etherTypeRARP layers.EthernetType = 0x8035

// errMalformed is a frame whose headers contradict themselves.
var errMalformed = errors.New("malformed frame")

// A decoder takes a frame apart into itself: no memory is allocated for a frame. What it holds points into
// the frame and is valid as long as that is.
//
// gopacket's layers are called one by one, not through its DecodingLayerParser, because a packet larger than
// 64 KiB (BIG TCP) says 0 for its length, and gopacket then takes the length of what was captured instead
// of the length that passed.
type decoder struct {
	eth layers.Ethernet
	tag layers.Dot1Q
	arp layers.ARP
	ip4 layers.IPv4
	tcp layers.TCP

	kind      kind
	ethertype layers.EthernetType // behind the VLAN tags
	payload   int                 // B of TCP payload that passed
	src, dst  netip.AddrPort
}

// A kind is how far a frame was understood.
type kind int

const (
	other kind = iota // Ethernet, and nothing that matters here
	isARP             // arp is valid; RARP too
	isTCP             // tcp, src, dst and payload are valid
)

// decode takes apart a frame of which data was captured and length bytes passed. An IP fragment after the
// first, and TCP behind an IPv6 header other than hop-by-hop, is of kind other.
func (d *decoder) decode(data []byte, length int) (err error) {
	defer func() { // gopacket slices by lengths that it read; some of its checks overflow
		if r := recover(); r != nil {
			d.kind, err = other, errMalformed
		}
	}()
	d.kind = other
	if err := d.eth.DecodeFromBytes(data, gopacket.NilDecodeFeedback); err != nil {
		return errMalformed
	}
	rest := d.eth.Payload
	d.ethertype = d.eth.EthernetType
	for d.ethertype == layers.EthernetTypeDot1Q || d.ethertype == layers.EthernetTypeQinQ {
		if err := d.tag.DecodeFromBytes(rest, gopacket.NilDecodeFeedback); err != nil {
			return errMalformed
		}
		d.ethertype, rest = d.tag.Type, d.tag.Payload
	}
	above := length - (len(data) - len(rest)) // B that passed behind the link header
	switch d.ethertype {
	case layers.EthernetTypeIPv4:
		return d.ipv4(rest, above)
	case layers.EthernetTypeIPv6:
		return d.ipv6(rest, above)
	case layers.EthernetTypeARP, etherTypeRARP:
		return d.address(rest)
	}
	return nil
}

// address decodes ARP and RARP for Ethernet and IPv4; others are of kind other.
func (d *decoder) address(data []byte) error {
	if len(data) < 28 || data[4] != 6 || data[5] != 4 {
		return nil
	}
	if err := d.arp.DecodeFromBytes(data, gopacket.NilDecodeFeedback); err != nil {
		return errMalformed
	}
	d.kind = isARP
	return nil
}

// ipv4 decodes what is in data, of which passed bytes passed.
func (d *decoder) ipv4(data []byte, passed int) error {
	if len(data) < 20 {
		return errMalformed
	}
	total := int(binary.BigEndian.Uint16(data[2:4]))
	if total == 0 { // BIG TCP: only the headers matter, and gopacket can take no more than 64 KiB
		data, total = data[:min(len(data), 0xffff)], passed
	}
	if err := d.ip4.DecodeFromBytes(data, gopacket.NilDecodeFeedback); err != nil {
		return errMalformed
	}
	if d.ip4.Protocol != layers.IPProtocolTCP || d.ip4.FragOffset != 0 {
		return nil
	}
	header := int(d.ip4.IHL) * 4
	return d.transport(d.ip4.SrcIP, d.ip4.DstIP, d.ip4.Payload, total-header)
}

// ipv6 decodes what is in data, of which passed bytes passed.
func (d *decoder) ipv6(data []byte, passed int) error {
	if len(data) < 40 {
		return errMalformed
	}
	size := int(binary.BigEndian.Uint16(data[4:6])) // without the 40 B header
	if size == 0 {
		size = passed - 40 // BIG TCP, with or without a jumbogram option (RFC 2675)
	}
	next, payload := layers.IPProtocol(data[6]), data[40:]
	if next == layers.IPProtocolIPv6HopByHop {
		if len(payload) < 8 {
			return errMalformed
		}
		header := (int(payload[1]) + 1) * 8
		if header > len(payload) {
			return errMalformed
		}
		next, payload, size = layers.IPProtocol(payload[0]), payload[header:], size-header
	}
	if next != layers.IPProtocolTCP {
		return nil
	}
	return d.transport(data[8:24], data[24:40], payload, size)
}

// transport decodes a TCP header in data; size is the length of the segment with its header.
func (d *decoder) transport(src, dst, data []byte, size int) error {
	if err := d.tcp.DecodeFromBytes(data, gopacket.NilDecodeFeedback); err != nil {
		return errMalformed
	}
	d.payload = size - int(d.tcp.DataOffset)*4
	if d.payload < 0 {
		return errMalformed // a segment shorter than its header
	}
	from, okFrom := netip.AddrFromSlice(src)
	to, okTo := netip.AddrFromSlice(dst)
	if !okFrom || !okTo {
		return errMalformed
	}
	d.src = netip.AddrPortFrom(from, uint16(d.tcp.SrcPort))
	d.dst = netip.AddrPortFrom(to, uint16(d.tcp.DstPort))
	d.kind = isTCP
	return nil
}
