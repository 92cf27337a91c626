package packet

import (
	"encoding/binary"
	"net/netip"
)

// IP protocol numbers (IANA).
const (
	protoHopByHop    = 0
	protoTCP         = 6
	protoUDP         = 17
	protoRouting     = 43
	protoFragment    = 44
	protoGRE         = 47
	protoDestination = 60
)

const (
	ipv4Len = 20
	ipv6Len = 40
)

// ipv4 decodes data, of which passed bytes passed.
func (p *Packet) ipv4(data []byte, passed int) error {
	if len(data) < ipv4Len {
		return short(data, ipv4Len, passed)
	}
	header := int(data[0]&0x0f) * 4
	if data[0]>>4 != 4 || header < ipv4Len {
		return ErrMalformed
	}
	total := int(binary.BigEndian.Uint16(data[2:]))
	if total == 0 { // more than 64 KiB (BIG TCP), or to be set by an offload
		total = passed
	}
	if total < header {
		return ErrMalformed
	}
	if len(data) > total { // padding of a short frame
		data = data[:total]
	}
	if len(data) < header {
		return short(data, header, passed)
	}
	const moreOrOffset = 0x3fff
	if binary.BigEndian.Uint16(data[6:])&moreOrOffset != 0 {
		return nil
	}
	p.ID = binary.BigEndian.Uint16(data[4:])
	src, dst := netip.AddrFrom4([4]byte(data[12:16])), netip.AddrFrom4([4]byte(data[16:20]))
	return p.transport(data[9], src, dst, data[header:], total-header)
}

// ipv6 decodes data, of which passed bytes passed.
func (p *Packet) ipv6(data []byte, passed int) error {
	if len(data) < ipv6Len {
		return short(data, ipv6Len, passed)
	}
	if data[0]>>4 != 6 {
		return ErrMalformed
	}
	src, dst := netip.AddrFrom16([16]byte(data[8:24])), netip.AddrFrom16([16]byte(data[24:40]))
	size, next := int(binary.BigEndian.Uint16(data[4:])), data[6]
	data, passed = data[ipv6Len:], passed-ipv6Len
	if size == 0 { // BIG TCP, with or without a jumbogram option (RFC 2675)
		size = passed
		if claimed := jumbo(next, data); claimed > 0 {
			if claimed > passed {
				return ErrMalformed
			}
			size = claimed
		}
	}
	if len(data) > size {
		data = data[:size]
	}
	p.ID = 0
	for {
		var length int
		switch next {
		case protoHopByHop, protoRouting, protoDestination:
			if len(data) < 8 {
				return short(data, 8, size)
			}
			length = (int(data[1]) + 1) * 8
		case protoFragment:
			if len(data) < 8 {
				return short(data, 8, size)
			}
			const offsetOrMore = 0xfff9
			if binary.BigEndian.Uint16(data[2:])&offsetOrMore != 0 {
				return nil
			}
			length = 8 // a fragment that is the whole (RFC 6946)
		default:
			return p.transport(next, src, dst, data, size)
		}
		if size < length {
			return ErrMalformed
		}
		if len(data) < length {
			return short(data, length, size)
		}
		next, data, size = data[0], data[length:], size-length
	}
}

// jumbo is the length that a jumbogram option claims for what is behind the IPv6 header; 0 is none.
func jumbo(next byte, data []byte) int {
	if next != protoHopByHop || len(data) < 8 {
		return 0
	}
	const pad1, jumboOption = 0, 0xc2
	options := data[2:min(len(data), (int(data[1])+1)*8)]
	for len(options) >= 2 {
		if options[0] == pad1 {
			options = options[1:]
			continue
		}
		if options[0] == jumboOption && options[1] == 4 && len(options) >= 6 {
			return int(binary.BigEndian.Uint32(options[2:]))
		}
		options = options[min(len(options), 2+int(options[1])):]
	}
	return 0
}
