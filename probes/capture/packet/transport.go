package packet

import (
	"encoding/binary"
	"net/netip"
)

const (
	tcpLen = 20
	udpLen = 8
)

// transport decodes a whole datagram's payload of size bytes, of which data was captured.
func (p *Packet) transport(proto byte, src, dst netip.Addr, data []byte, size int) error {
	switch proto {
	case protoTCP:
		return p.tcp(src, dst, data, size)
	case protoUDP:
		return p.udp(src, dst, data, size)
	case protoGRE:
		p.tunnelled(src, dst, data, size)
	}
	return nil
}

func (p *Packet) tcp(src, dst netip.Addr, data []byte, size int) error {
	if len(data) < tcpLen {
		return short(data, tcpLen, size)
	}
	header := int(data[12]>>4) * 4
	if header < tcpLen || header > size {
		return ErrMalformed
	}
	p.Src = netip.AddrPortFrom(src, binary.BigEndian.Uint16(data))
	p.Dst = netip.AddrPortFrom(dst, binary.BigEndian.Uint16(data[2:]))
	p.Seq = binary.BigEndian.Uint32(data[4:])
	p.Ack = binary.BigEndian.Uint32(data[8:])
	p.Flags = Flags(data[13])
	p.Window = binary.BigEndian.Uint16(data[14:])
	captured := min(header, len(data)) // less than header if the snap length fell into the options
	p.Options = data[tcpLen:captured]
	p.Payload = data[captured:]
	p.PayloadLength = size - header
	p.Kind = TCP
	return nil
}

func (p *Packet) udp(src, dst netip.Addr, data []byte, size int) error {
	if len(data) < udpLen {
		return short(data, udpLen, size)
	}
	length := int(binary.BigEndian.Uint16(data[4:]))
	if length == 0 { // a jumbogram (RFC 2675)
		length = size
	}
	if length < udpLen || length > size {
		return ErrMalformed
	}
	p.Src = netip.AddrPortFrom(src, binary.BigEndian.Uint16(data))
	p.Dst = netip.AddrPortFrom(dst, binary.BigEndian.Uint16(data[2:]))
	p.Payload = data[udpLen:min(length, len(data))]
	p.PayloadLength = length - udpLen
	p.Kind = UDP
	return nil
}
