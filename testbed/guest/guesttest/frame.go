package guesttest

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
)

const (
	etherHeader = 14
	etherIPv4   = 0x0800
	etherARP    = 0x0806
	etherRARP   = 0x8035
	etherLocal  = 0x88b5 // for experiments on a local network (IEEE Std 802, 9.2)

	arpLength   = 28
	arpRequest  = 1
	arpReply    = 2
	rarpReverse = 3 // RFC 903

	udpProtocol = 17
	echoPort    = 7

	minFrame = 60 // B, without the checksum
)

var broadcast = net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// A card is the guest's address on the network.
type card struct {
	mac net.HardwareAddr
	ip  netip.Addr
}

// answer returns the frame that answers f, made in f's own memory, or nil: ARP requests for the guest's
// address, and UDP datagrams to its echo port, which come back as they were.
func (c card) answer(f []byte) []byte {
	if len(f) < etherHeader {
		return nil
	}
	to := f[0:6]
	if !bytes.Equal(to, c.mac) && !bytes.Equal(to, broadcast) {
		return nil
	}
	switch binary.BigEndian.Uint16(f[12:]) {
	case etherARP:
		return c.answerARP(f)
	case etherIPv4:
		return c.answerEcho(f)
	}
	return nil
}

// beacon is a broadcast that says nothing but that the guest is there.
func (c card) beacon() []byte {
	f := make([]byte, minFrame)
	copy(f, broadcast)
	copy(f[6:], c.mac)
	binary.BigEndian.PutUint16(f[12:], etherLocal)
	return f
}

// answerARP follows RFC 826.
func (c card) answerARP(f []byte) []byte {
	if len(f) < etherHeader+arpLength {
		return nil
	}
	p := f[etherHeader : etherHeader+arpLength]
	ip := c.ip.AsSlice()
	ipOverEthernet := []byte{0, 1, 8, 0, 6, 4, 0, arpRequest}
	if !bytes.Equal(p[:8], ipOverEthernet) || !bytes.Equal(p[24:28], ip) {
		return nil
	}
	asker := bytes.Clone(p[8:18]) // MAC and IP
	p[7] = arpReply
	copy(p[8:], c.mac)
	copy(p[14:], ip)
	copy(p[18:], asker)
	copy(f[0:], asker[:6])
	copy(f[6:], c.mac)
	return f
}

// answerEcho swaps the two ends. A sum does not care for order, so the checksums of IP (RFC 791) and UDP
// (RFC 768) stay as they are.
func (c card) answerEcho(f []byte) []byte {
	p := f[etherHeader:]
	if !bytes.Equal(f[0:6], c.mac) || len(p) < 20 || p[0]>>4 != 4 {
		return nil
	}
	header, total := int(p[0]&0xf)*4, int(binary.BigEndian.Uint16(p[2:]))
	const fragment = 0x3fff // the flag "more fragments" and the offset
	switch {
	case header < 20 || total < header+8 || total > len(p):
		return nil
	case p[9] != udpProtocol || binary.BigEndian.Uint16(p[6:])&fragment != 0:
		return nil
	case !bytes.Equal(p[16:20], c.ip.AsSlice()):
		return nil
	}
	udp := p[header:total]
	if binary.BigEndian.Uint16(udp[2:]) != echoPort {
		return nil
	}
	swap(f[0:6], f[6:12])
	swap(p[12:16], p[16:20])
	swap(udp[0:2], udp[2:4])
	return f[:etherHeader+total]
}

func swap(a, b []byte) {
	for i := range a {
		a[i], b[i] = b[i], a[i]
	}
}

// announcement is the RARP by which QEMU makes switches learn where a guest is now
// (net/announce.c, announce_self_create).
func (c card) announcement() []byte {
	f := make([]byte, minFrame)
	copy(f[0:], broadcast)
	copy(f[6:], c.mac)
	binary.BigEndian.PutUint16(f[12:], etherRARP)
	copy(f[etherHeader:], []byte{0, 1, 8, 0, 6, 4, 0, rarpReverse})
	copy(f[etherHeader+8:], c.mac)
	copy(f[etherHeader+18:], c.mac)
	return f
}

// gratuitous is the ARP request for its own address by which a guest says, at boot, that it is there.
func (c card) gratuitous() []byte {
	f := make([]byte, minFrame)
	copy(f[0:], broadcast)
	copy(f[6:], c.mac)
	binary.BigEndian.PutUint16(f[12:], etherARP)
	copy(f[etherHeader:], []byte{0, 1, 8, 0, 6, 4, 0, arpRequest})
	copy(f[etherHeader+8:], c.mac)
	copy(f[etherHeader+14:], c.ip.AsSlice())
	copy(f[etherHeader+24:], c.ip.AsSlice())
	return f
}
