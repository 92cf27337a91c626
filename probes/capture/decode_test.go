package capture

import (
	"net"
	"net/netip"
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

// zeroLength sets bytes of a built frame to 0, as BIG TCP does with the length.
func zeroLength(frame []byte, at int) []byte {
	frame[at], frame[at+1] = 0, 0
	return frame
}

func TestDecode(t *testing.T) {
	t.Parallel()
	options := ipv4(layers.IPProtocolTCP)
	options.Options = []layers.IPv4Option{{OptionType: 1}, {OptionType: 1}, {OptionType: 1}, {OptionType: 1}}
	fragment := ipv4(layers.IPProtocolTCP)
	fragment.FragOffset = 100
	v4, v6 := [2]string{"10.0.0.1:40000", "10.0.0.2:4444"}, [2]string{"[fd00::1]:40000", "[fd00::2]:4444"}
	// Hop-by-hop with padding only, and with the jumbogram option (RFC 2675) for 100,000 B.
	hopByHop := func(option ...byte) gopacket.Payload {
		return append(gopacket.Payload{byte(layers.IPProtocolTCP), 0}, option...)
	}
	pad, jumbo := hopByHop(1, 4, 0, 0, 0, 0), hopByHop(0xc2, 4, 0, 1, 0x86, 0xa0)
	segment := gopacket.Payload(build(t, tcp(), body(30)))

	for _, c := range []struct {
		name    string
		frame   []byte
		snap    int // 0: all captured
		length  int // 0: as captured
		kind    kind
		payload int
		ends    [2]string
		broken  bool
	}{
		{name: "tcp", frame: build(t, ethernet(layers.EthernetTypeIPv4), ipv4(layers.IPProtocolTCP), tcp(), body(1000)), kind: isTCP, payload: 1000, ends: v4},
		{name: "pure ack, padded to the least frame", frame: build(t, ethernet(layers.EthernetTypeIPv4), ipv4(layers.IPProtocolTCP), tcp()), kind: isTCP, ends: v4},
		{name: "snapped", frame: build(t, ethernet(layers.EthernetTypeIPv4), ipv4(layers.IPProtocolTCP), tcp(), body(1000)), snap: 128, kind: isTCP, payload: 1000, ends: v4},
		{name: "longest headers, snapped", frame: build(t, ethernet(layers.EthernetTypeIPv4), options, tcpOptions(), body(500)), snap: flowSnap, kind: isTCP, payload: 500, ends: v4},
		{name: "vlan", frame: build(t, ethernet(layers.EthernetTypeDot1Q), &layers.Dot1Q{VLANIdentifier: 5, Type: layers.EthernetTypeIPv4}, ipv4(layers.IPProtocolTCP), tcp(), body(7)), kind: isTCP, payload: 7, ends: v4},
		{name: "two vlans", frame: build(t, ethernet(layers.EthernetTypeQinQ), &layers.Dot1Q{Type: layers.EthernetTypeDot1Q}, &layers.Dot1Q{Type: layers.EthernetTypeIPv4}, ipv4(layers.IPProtocolTCP), tcp(), body(100)), kind: isTCP, payload: 100, ends: v4},
		{name: "super-frame", frame: build(t, ethernet(layers.EthernetTypeIPv4), ipv4(layers.IPProtocolTCP), tcp(), body(60000)), snap: flowSnap, kind: isTCP, payload: 60000, ends: v4},
		{name: "big tcp, snapped", frame: zeroLength(build(t, ethernet(layers.EthernetTypeIPv4), ipv4(layers.IPProtocolTCP), tcp(), body(1000)), 16), snap: flowSnap, length: 14 + 40 + 180_000, kind: isTCP, payload: 180_000, ends: v4},
		{name: "big tcp, whole", frame: append(zeroLength(build(t, ethernet(layers.EthernetTypeIPv4), ipv4(layers.IPProtocolTCP), tcp(), body(1000)), 16), make([]byte, 65_536-1030)...), kind: isTCP, payload: 65_536 - 30, ends: v4},
		{name: "big tcp behind a vlan", frame: zeroLength(build(t, ethernet(layers.EthernetTypeDot1Q), &layers.Dot1Q{Type: layers.EthernetTypeIPv4}, ipv4(layers.IPProtocolTCP), tcp(), body(1000)), 20), snap: flowSnap, length: 18 + 40 + 100_000, kind: isTCP, payload: 100_000, ends: v4},
		{name: "ipv6", frame: build(t, ethernet(layers.EthernetTypeIPv6), ipv6(layers.IPProtocolTCP), tcp(), body(900)), snap: flowSnap, kind: isTCP, payload: 900, ends: v6},
		{name: "ipv6 hop-by-hop", frame: build(t, ethernet(layers.EthernetTypeIPv6), ipv6(layers.IPProtocolIPv6HopByHop), pad, segment), kind: isTCP, payload: 30, ends: v6},
		{name: "ipv6 jumbogram", frame: zeroLength(build(t, ethernet(layers.EthernetTypeIPv6), ipv6(layers.IPProtocolIPv6HopByHop), jumbo, segment), 18), length: 14 + 40 + 100_000, kind: isTCP, payload: 100_000 - 8 - 20, ends: v6},
		{name: "ipv6 big tcp without option", frame: zeroLength(build(t, ethernet(layers.EthernetTypeIPv6), ipv6(layers.IPProtocolTCP), segment), 18), length: 14 + 40 + 20 + 99_000, kind: isTCP, payload: 99_000, ends: v6},
		{name: "udp", frame: build(t, ethernet(layers.EthernetTypeIPv4), ipv4(layers.IPProtocolUDP), &layers.UDP{SrcPort: 1, DstPort: 4444}, body(20))},
		{name: "later fragment", frame: build(t, ethernet(layers.EthernetTypeIPv4), fragment, tcp(), body(20))},
		{name: "arp", frame: arpFrame(t, layers.EthernetTypeARP, 1, [4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 2}, broadcast), kind: isARP},
		{name: "arp for another network", frame: build(t, ethernet(layers.EthernetTypeARP), gopacket.Payload{0, 1, 8, 0, 255, 255, 0, 1, 31: 0}), kind: other},
		{name: "spanning tree", frame: build(t, &layers.Ethernet{SrcMAC: otherMAC, DstMAC: broadcast, EthernetType: layers.EthernetTypeLLC, Length: 38}, body(38))},
		{name: "no ethernet header", frame: make([]byte, 13), broken: true},
		{name: "half an ip header", frame: build(t, ethernet(layers.EthernetTypeIPv4), body(19)), broken: true},
		{name: "half a tcp header", frame: build(t, ethernet(layers.EthernetTypeIPv4), ipv4(layers.IPProtocolTCP), tcp())[:50], broken: true},
		{name: "half a vlan tag", frame: build(t, ethernet(layers.EthernetTypeDot1Q), body(60))[:16], broken: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			length, data := len(c.frame), c.frame
			if c.snap > 0 {
				data = data[:min(c.snap, len(data))]
			}
			if c.length > 0 {
				length = c.length
			}
			var d decoder
			err := d.decode(data, length)
			if (err != nil) != c.broken {
				t.Fatalf("error %v, want one: %v", err, c.broken)
			}
			if d.kind != c.kind {
				t.Fatalf("kind %v, want %v", d.kind, c.kind)
			}
			if c.kind != isTCP {
				return
			}
			if d.payload != c.payload {
				t.Errorf("payload %d, want %d", d.payload, c.payload)
			}
			if d.src != netip.MustParseAddrPort(c.ends[0]) || d.dst != netip.MustParseAddrPort(c.ends[1]) {
				t.Errorf("from %v to %v, want %v", d.src, d.dst, c.ends)
			}
		})
	}
}

// A frame must leave nothing behind for the next one.
func TestDecodeForgets(t *testing.T) {
	t.Parallel()
	var d decoder
	if err := d.decode(build(t, ethernet(layers.EthernetTypeIPv4), ipv4(layers.IPProtocolTCP), tcp(), body(9)), 63); err != nil || d.kind != isTCP {
		t.Fatal(d.kind, err)
	}
	if err := d.decode(make([]byte, 5), 5); err == nil || d.kind != other {
		t.Fatalf("kind %v, error %v", d.kind, err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(build(f, ethernet(layers.EthernetTypeIPv4), ipv4(layers.IPProtocolTCP), tcpOptions(), body(10)), 2000)
	f.Add(build(f, ethernet(layers.EthernetTypeIPv6), ipv6(layers.IPProtocolTCP), tcp(), body(10)), 0)
	f.Add(build(f, ethernet(layers.EthernetTypeDot1Q), &layers.Dot1Q{Type: layers.EthernetTypeARP}, body(28)), 10)
	f.Add(arpFrame(f, layers.EthernetTypeARP, 2, [4]byte{1}, [4]byte{1}, broadcast), 5)
	f.Fuzz(func(t *testing.T, data []byte, more int) {
		var d decoder
		length := len(data) + max(more, 0)%200_000
		if err := d.decode(data, length); err != nil && d.kind != other {
			t.Fatalf("error %v with kind %v", err, d.kind)
		}
		// IPv4 may claim up to 64 KiB; nothing can claim more than that and the frame.
		if d.kind == isTCP && (d.payload < 0 || d.payload > max(0xffff, length)) {
			t.Fatalf("payload %d of a frame of %d", d.payload, length)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	frame := build(b, ethernet(layers.EthernetTypeIPv4), ipv4(layers.IPProtocolTCP), tcpOptions(), body(1000))[:flowSnap]
	var d decoder
	b.ReportAllocs()
	for b.Loop() {
		if err := d.decode(frame, 1114); err != nil {
			b.Fatal(err)
		}
	}
}
