package packet

import (
	"slices"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

func TestInner(t *testing.T) {
	t.Parallel()
	frame := build(t, ethernet(ip4Type), ipv4(tcpProto), tcp(), body(500))
	ip := frame[14:]
	udp := func(port layers.UDPPort, head ...byte) []byte {
		return build(t, ethernet(ip4Type), ipv4(layers.IPProtocolUDP), &layers.UDP{SrcPort: 1, DstPort: port}, gopacket.Payload(head))
	}
	gre := func(head ...byte) []byte {
		return build(t, ethernet(ip6Type), ipv6(layers.IPProtocolGRE), gopacket.Payload(head))
	}
	with := func(rest []byte, head ...byte) []byte { return slices.Concat(head, rest) }
	for _, c := range []struct {
		name  string
		outer []byte
		link  Link
		ok    bool
	}{
		{"vxlan", udp(4789, with(frame, 8, 0, 0, 0, 0, 0, 7, 0)...), Ethernet, true},
		{"vxlan without its flag", udp(4789, with(frame, 0, 0, 0, 0, 0, 0, 7, 0)...), 0, false},
		{"half a vxlan", udp(4789, 8, 0, 0), 0, false},
		{"geneve", udp(6081, with(frame, 0, 0, 0x65, 0x58, 0, 0, 7, 0)...), Ethernet, true},
		{"geneve with options", udp(6081, with(frame, 2, 0, 0x65, 0x58, 0, 0, 7, 0, 1, 2, 3, 4, 5, 6, 7, 8)...), Ethernet, true},
		{"geneve of ip", udp(6081, with(ip, 0, 0, 8, 0, 0, 0, 7, 0)...), RawIP, true},
		{"geneve of another version", udp(6081, with(frame, 0x40, 0, 0x65, 0x58, 0, 0, 7, 0)...), 0, false},
		{"geneve cut in its options", udp(6081, 2, 0, 0x65, 0x58, 0, 0, 7, 0, 1, 2, 3), 0, false},
		{"another port", udp(4790, with(frame, 8, 0, 0, 0, 0, 0, 7, 0)...), 0, false},
		{"gre", gre(with(ip, 0, 0, 8, 0)...), RawIP, true},
		{"gre of ethernet with a key and a number", gre(with(frame, 0x30, 0, 0x65, 0x58, 1, 2, 3, 4, 5, 6, 7, 8)...), Ethernet, true},
		{"gre of another protocol", gre(with(ip, 0, 0, 9, 9)...), 0, false},
		{"gre of version 1", gre(with(ip, 0, 1, 8, 0)...), 0, false},
		{"half a gre", gre(0, 0, 8), 0, false},
		{"none", frame, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var outer, inner Packet
			if err := outer.Decode(Ethernet, c.outer, len(c.outer)+1000); err != nil {
				t.Fatal(err)
			}
			link, data, length, ok := outer.Inner()
			if link != c.link || ok != c.ok {
				t.Fatalf("link %d, %v", link, ok)
			}
			if !ok {
				return
			}
			if err := inner.Decode(link, data, length); err != nil || inner.Kind != TCP || inner.PayloadLength != 500 || len(inner.Payload) != 500 {
				t.Fatalf("%+v, %v", inner, err)
			}
		})
	}
}
