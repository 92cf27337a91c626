package packet

import (
	"encoding/binary"
	"errors"
)

// Errors of Decode.
var (
	// ErrMalformed is a frame whose headers contradict themselves or its length.
	ErrMalformed = errors.New("malformed frame")
	// ErrCut is a frame of which too little was captured: capture with a larger snap length.
	ErrCut = errors.New("frame cut inside its headers by the snap length")
)

// Ether types (IEEE 802 numbers).
const (
	etherIPv4   = 0x0800
	etherARP    = 0x0806
	etherRARP   = 0x8035
	etherVLAN   = 0x8100
	etherIPv6   = 0x86dd
	etherQinQ   = 0x88a8
	etherOldQ   = 0x9100 // a stacked tag of before IEEE 802.1ad
	ethernetLen = 14
	cooked1Len  = 16
	cooked2Len  = 20
	nullLen     = 4
	vlanLen     = 4
)

// Decode takes apart a frame of which data was captured and length bytes passed. It allocates nothing; what p holds
// afterwards points into data. After an error, which is ErrMalformed or ErrCut, Kind is Other and the link's fields hold
// what was found of them.
//
// An IP header may claim more than length: the frame was cut before it was captured, or the capture does not say how long
// it was. The header is believed then, since TCP's sequence numbers follow it. A fragment is of kind Other, the first
// too, as it is no whole segment.
func (p *Packet) Decode(link Link, data []byte, length int) error {
	length = max(length, len(data))
	p.Kind, p.SrcMAC, p.DstMAC, p.VLAN, p.EtherType = Other, MAC{}, MAC{}, 0, 0
	switch link {
	case Ethernet:
		if len(data) < ethernetLen {
			return short(data, ethernetLen, length)
		}
		copy(p.DstMAC[:], data)
		copy(p.SrcMAC[:], data[6:])
		return p.network(binary.BigEndian.Uint16(data[12:]), data[ethernetLen:], length-ethernetLen)
	case Cooked1:
		if len(data) < cooked1Len {
			return short(data, cooked1Len, length)
		}
		p.cookedMAC(int(binary.BigEndian.Uint16(data[4:])), data[6:])
		return p.network(binary.BigEndian.Uint16(data[14:]), data[cooked1Len:], length-cooked1Len)
	case Cooked2:
		if len(data) < cooked2Len {
			return short(data, cooked2Len, length)
		}
		p.cookedMAC(int(data[11]), data[12:])
		return p.network(binary.BigEndian.Uint16(data), data[cooked2Len:], length-cooked2Len)
	case RawIP:
		return p.raw(data, length)
	case Null:
		return p.loopback(data, length)
	}
	return nil
}

// short explains why a header of need bytes is not in data, of which passed bytes passed.
func short(data []byte, need, passed int) error {
	if len(data) < passed && passed >= need {
		return ErrCut
	}
	return ErrMalformed
}

// cookedMAC takes the sender's address of a cooked header; other kinds of hardware have addresses of another length.
func (p *Packet) cookedMAC(size int, data []byte) {
	if size == len(p.SrcMAC) {
		copy(p.SrcMAC[:], data)
	}
}

// raw decodes what begins with an IP header.
func (p *Packet) raw(data []byte, length int) error {
	if len(data) == 0 {
		return short(data, 1, length)
	}
	switch data[0] >> 4 {
	case 4:
		return p.network(etherIPv4, data, length)
	case 6:
		return p.network(etherIPv6, data, length)
	}
	return ErrMalformed
}

// loopback decodes a frame of a BSD loopback: the address family is in the byte order of the machine that captured it.
func (p *Packet) loopback(data []byte, length int) error {
	if len(data) < nullLen {
		return short(data, nullLen, length)
	}
	family := binary.LittleEndian.Uint32(data)
	if family > 0xffff {
		family = binary.BigEndian.Uint32(data)
	}
	switch family {
	case 2:
		return p.network(etherIPv4, data[nullLen:], length-nullLen)
	case 10, 24, 28, 30: // AF_INET6 of Linux, OpenBSD and NetBSD, FreeBSD, Darwin
		return p.network(etherIPv6, data[nullLen:], length-nullLen)
	}
	return nil
}

// network decodes what is behind the link header: data, of which passed bytes passed.
func (p *Packet) network(ether uint16, data []byte, passed int) error {
	for tags := 0; ether == etherVLAN || ether == etherQinQ || ether == etherOldQ; tags++ {
		if len(data) < vlanLen {
			return short(data, vlanLen, passed)
		}
		if tags == 0 {
			p.VLAN = binary.BigEndian.Uint16(data) & 0x0fff
		}
		ether = binary.BigEndian.Uint16(data[2:])
		data, passed = data[vlanLen:], passed-vlanLen
	}
	p.EtherType = ether
	switch ether {
	case etherIPv4:
		return p.ipv4(data, passed)
	case etherIPv6:
		return p.ipv6(data, passed)
	case etherARP, etherRARP:
		return p.arp(data, passed)
	}
	return nil
}
