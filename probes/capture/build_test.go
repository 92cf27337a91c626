package capture

import (
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

// etherTypeRARP is reverse ARP (RFC 903), which gopacket has no name for.
const etherTypeRARP layers.EthernetType = 0x8035

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
	return &layers.IPv4{Version: 4, TTL: 64, Protocol: p, SrcIP: net.IP{10, 0, 0, 1}, DstIP: net.IP{10, 0, 0, 2}}
}

func ipv6(p layers.IPProtocol) *layers.IPv6 {
	return &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: p, SrcIP: net.ParseIP("fd00::1"), DstIP: net.ParseIP("fd00::2")}
}

func tcp() *layers.TCP { return &layers.TCP{SrcPort: 40000, DstPort: 4444, ACK: true} }

// tcpOptions has the longest header there is: 60 B.
func tcpOptions() *layers.TCP {
	t := tcp()
	for range 40 {
		t.Options = append(t.Options, layers.TCPOption{OptionType: layers.TCPOptionKindNop})
	}
	return t
}

func body(n int) gopacket.Payload { return make(gopacket.Payload, n) }
