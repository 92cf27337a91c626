package packet

import (
	"encoding/binary"
	"net"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

var (
	guestMAC  = net.HardwareAddr{0x52, 0x54, 0, 1, 2, 3}
	otherMAC  = net.HardwareAddr{0x52, 0x54, 0, 9, 9, 9}
	broadcast = net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
)

// build serializes layers, with lengths filled in.
func build(tb testing.TB, l ...gopacket.SerializableLayer) []byte {
	tb.Helper()
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true}, l...); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func ethernet(t layers.EthernetType) *layers.Ethernet {
	return &layers.Ethernet{SrcMAC: guestMAC, DstMAC: otherMAC, EthernetType: t}
}

func ipv4(p layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{Version: 4, TTL: 64, Id: 77, Protocol: p, SrcIP: net.IP{10, 0, 0, 1}, DstIP: net.IP{10, 0, 0, 2}}
}

func ipv6(p layers.IPProtocol) *layers.IPv6 {
	return &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: p, SrcIP: net.ParseIP("fd00::1"), DstIP: net.ParseIP("fd00::2")}
}

func tcp() *layers.TCP {
	return &layers.TCP{SrcPort: 40000, DstPort: 4444, Seq: 0xfffffff0, Ack: 7, ACK: true, PSH: true, Window: 501}
}

// tcpOptions has the longest header there is: 60 B.
func tcpOptions() *layers.TCP {
	t := tcp()
	for range 40 {
		t.Options = append(t.Options, layers.TCPOption{OptionType: layers.TCPOptionKindNop})
	}
	return t
}

func body(n int) gopacket.Payload { return make(gopacket.Payload, n) }

// zeroLength sets bytes of a built frame to 0, as BIG TCP does with the length.
func zeroLength(frame []byte, at int) []byte {
	frame[at], frame[at+1] = 0, 0
	return frame
}

// arpFrame is ARP or RARP by the guest for Ethernet and IPv4, byte by byte (RFC 826, RFC 903).
func arpFrame(tb testing.TB, t layers.EthernetType, op uint16, sender, target [4]byte, to net.HardwareAddr) []byte {
	tb.Helper()
	p := gopacket.Payload{0, 1, 8, 0, 6, 4, 0, 0}
	binary.BigEndian.PutUint16(p[6:8], op)
	p = append(append(append(p, guestMAC...), sender[:]...), otherMAC...)
	p = append(p, target[:]...)
	return build(tb, &layers.Ethernet{SrcMAC: guestMAC, DstMAC: to, EthernetType: t}, p)
}

// cooked1 and cooked2 are the headers of LINKTYPE_LINUX_SLL and LINKTYPE_LINUX_SLL2 in front of what follows.
func cooked1(t layers.EthernetType, rest []byte) []byte {
	h := append([]byte{0, 4, 0, 1, 0, 6}, guestMAC...)
	h = append(h, 0, 0, byte(t>>8), byte(t))
	return append(h, rest...)
}

func cooked2(t layers.EthernetType, rest []byte) []byte {
	h := []byte{byte(t >> 8), byte(t), 0, 0, 0, 0, 0, 9, 0, 1, 4, 6}
	h = append(append(h, guestMAC...), 0, 0)
	return append(h, rest...)
}
