package packet

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// snap is what the probe captures of a frame.
const snap = 192

type decodeCase struct {
	name    string
	link    Link
	frame   []byte
	snap    int // 0: all captured
	length  int // 0: as captured
	kind    Kind
	payload int
	ends    [2]string
	vlan    uint16
	err     error
}

var (
	ends4 = [2]string{"10.0.0.1:40000", "10.0.0.2:4444"}
	ends6 = [2]string{"[fd00::1]:40000", "[fd00::2]:4444"}
)

const (
	ip4Type, ip6Type = layers.EthernetTypeIPv4, layers.EthernetTypeIPv6
	tcpProto         = layers.IPProtocolTCP
)

// extension is an IPv6 extension header of 8 B that says what follows.
func extension(next layers.IPProtocol, rest ...byte) gopacket.Payload {
	return append(gopacket.Payload{byte(next), 0}, rest...)
}

func ipv4Cases(tb testing.TB) []decodeCase {
	options := ipv4(tcpProto)
	options.Options = []layers.IPv4Option{{OptionType: 1}, {OptionType: 1}, {OptionType: 1}, {OptionType: 1}}
	later, first := ipv4(tcpProto), ipv4(tcpProto)
	later.FragOffset, first.Flags = 100, layers.IPv4MoreFragments
	dont := ipv4(tcpProto)
	dont.Flags = layers.IPv4DontFragment
	whole := build(tb, ethernet(ip4Type), ipv4(tcpProto), tcp(), body(1000))
	udp := &layers.UDP{SrcPort: 40000, DstPort: 4444}
	claims := slices.Clone(whole)[:14+40+100]
	claims[16], claims[17] = 0, 39 // shorter than the headers
	shortHeader := slices.Clone(whole)
	shortHeader[14] = 0x44
	shortTCP := slices.Clone(whole)
	shortTCP[14+20+12] = 0x40
	shortUDP := build(tb, ethernet(ip4Type), ipv4(layers.IPProtocolUDP), udp, body(20))
	shortUDP[14+20+5] = 7
	return []decodeCase{
		{name: "tcp", frame: whole, kind: TCP, payload: 1000, ends: ends4},
		{name: "pure ack, padded to the least frame", frame: build(tb, ethernet(ip4Type), ipv4(tcpProto), tcp()), kind: TCP, ends: ends4},
		{name: "few bytes, padded", frame: append(build(tb, ethernet(ip4Type), ipv4(tcpProto), tcp(), body(6)), make([]byte, 40)...), kind: TCP, payload: 6, ends: ends4},
		{name: "snapped", frame: whole, snap: 128, kind: TCP, payload: 1000, ends: ends4},
		{name: "longest headers, snapped", frame: build(tb, ethernet(ip4Type), options, tcpOptions(), body(500)), snap: snap, kind: TCP, payload: 500, ends: ends4},
		{name: "snapped in the tcp options", frame: build(tb, ethernet(ip4Type), ipv4(tcpProto), tcpOptions(), body(500)), snap: 60, kind: TCP, payload: 500, ends: ends4},
		{name: "snapped in the tcp header", frame: whole, snap: 50, err: ErrCut},
		{name: "snapped in the ip header", frame: whole, snap: 30, err: ErrCut},
		{name: "super-frame", frame: build(tb, ethernet(ip4Type), ipv4(tcpProto), tcp(), body(60000)), snap: snap, kind: TCP, payload: 60000, ends: ends4},
		{name: "big tcp, snapped", frame: zeroLength(slices.Clone(whole), 16), snap: snap, length: 14 + 40 + 180_000, kind: TCP, payload: 180_000, ends: ends4},
		{name: "big tcp, whole", frame: append(zeroLength(slices.Clone(whole), 16), make([]byte, 65_536-1030)...), kind: TCP, payload: 65_536 - 30, ends: ends4},
		{name: "no fragment", frame: build(tb, ethernet(ip4Type), dont, tcp(), body(20)), kind: TCP, payload: 20, ends: ends4},
		{name: "first fragment", frame: build(tb, ethernet(ip4Type), first, tcp(), body(20))},
		{name: "later fragment", frame: build(tb, ethernet(ip4Type), later, tcp(), body(20))},
		{name: "udp", frame: build(tb, ethernet(ip4Type), ipv4(layers.IPProtocolUDP), udp, body(20)), kind: UDP, payload: 20, ends: ends4},
		{name: "udp shorter than its header", frame: shortUDP, err: ErrMalformed},
		{name: "half an ip header", frame: build(tb, ethernet(ip4Type), body(19)), err: ErrMalformed},
		{name: "half a tcp header", frame: whole[:50], err: ErrCut},
		{name: "half a tcp header, all that passed", frame: build(tb, ethernet(ip4Type), ipv4(tcpProto), body(19)), err: ErrMalformed},
		{name: "ip shorter than tcp", frame: claims, err: ErrMalformed},
		{name: "ip header of 16 B", frame: shortHeader, err: ErrMalformed},
		{name: "tcp header of 16 B", frame: shortTCP, err: ErrMalformed},
		{name: "frame shorter than ip says", frame: whole[:500], kind: TCP, payload: 1000, ends: ends4},
	}
}

func ipv6Cases(tb testing.TB) []decodeCase {
	// Hop-by-hop with padding only, and with the jumbogram option (RFC 2675) for 100,000 B.
	pad, jumbo := extension(tcpProto, 1, 4, 0, 0, 0, 0), extension(tcpProto, 0xc2, 4, 0, 1, 0x86, 0xa0)
	segment := gopacket.Payload(build(tb, tcp(), body(30)))
	long := append(gopacket.Payload{byte(tcpProto), 2}, make([]byte, 22)...)
	v6 := func(next layers.IPProtocol, l ...gopacket.SerializableLayer) []byte {
		return build(tb, append([]gopacket.SerializableLayer{ethernet(ip6Type), ipv6(next)}, l...)...)
	}
	hop, routing, options, fragment := layers.IPProtocolIPv6HopByHop, layers.IPProtocolIPv6Routing, layers.IPProtocolIPv6Destination, layers.IPProtocolIPv6Fragment
	return []decodeCase{
		{name: "ipv6", frame: v6(tcpProto, tcp(), body(900)), snap: snap, kind: TCP, payload: 900, ends: ends6},
		{name: "ipv6 udp", frame: v6(layers.IPProtocolUDP, &layers.UDP{SrcPort: 40000, DstPort: 4444}, body(9)), kind: UDP, payload: 9, ends: ends6},
		{name: "ipv6 hop-by-hop", frame: v6(hop, pad, segment), kind: TCP, payload: 30, ends: ends6},
		{name: "ipv6 routing of 24 B", frame: v6(routing, long, segment), kind: TCP, payload: 30, ends: ends6},
		{name: "ipv6 all options", frame: v6(hop, extension(options, 1, 4, 0, 0, 0, 0), extension(routing, 1, 4, 0, 0, 0, 0), pad, segment), kind: TCP, payload: 30, ends: ends6},
		{name: "ipv6 atomic fragment", frame: v6(fragment, extension(tcpProto, 0, 0, 0, 0, 0, 1), segment), kind: TCP, payload: 30, ends: ends6},
		{name: "ipv6 first fragment", frame: v6(fragment, extension(tcpProto, 0, 1, 0, 0, 0, 1), segment)},
		{name: "ipv6 later fragment", frame: v6(fragment, extension(tcpProto, 1, 0, 0, 0, 0, 1), segment)},
		{name: "ipv6 jumbogram", frame: zeroLength(v6(hop, jumbo, segment), 18), length: 14 + 40 + 100_000, kind: TCP, payload: 100_000 - 8 - 20, ends: ends6},
		{name: "ipv6 jumbogram longer than its frame", frame: zeroLength(v6(hop, jumbo, segment), 18), length: 14 + 40 + 99_000, err: ErrMalformed},
		{name: "ipv6 big tcp without option", frame: zeroLength(v6(tcpProto, segment), 18), length: 14 + 40 + 20 + 99_000, kind: TCP, payload: 99_000, ends: ends6},
		{name: "ipv6 cut in an option", frame: v6(hop, pad, segment), snap: 58, err: ErrCut},
		{name: "ipv6 ends in an option", frame: v6(hop, gopacket.Payload{byte(tcpProto), 0, 0}), err: ErrMalformed},
		{name: "ipv6 padded", frame: append(v6(tcpProto, segment), 1, 2, 3, 4), kind: TCP, payload: 30, ends: ends6},
	}
}

func linkCases(tb testing.TB) []decodeCase {
	packet4 := build(tb, ipv4(tcpProto), tcp(), body(7))
	packet6 := build(tb, ipv6(tcpProto), tcp(), body(7))
	tag := func(id uint16, t layers.EthernetType) *layers.Dot1Q {
		return &layers.Dot1Q{VLANIdentifier: id, Type: t, Priority: 5}
	}
	q, ad := layers.EthernetTypeDot1Q, layers.EthernetTypeQinQ
	rest4 := gopacket.Payload(packet4)
	behind := func(head ...byte) []byte { return append(head, packet4...) }
	cases := []decodeCase{
		{name: "vlan", frame: build(tb, ethernet(q), tag(5, ip4Type), rest4), kind: TCP, payload: 7, ends: ends4, vlan: 5},
		{name: "two vlans", frame: build(tb, ethernet(ad), tag(4094, q), tag(3, ip4Type), rest4), kind: TCP, payload: 7, ends: ends4, vlan: 4094},
		{name: "three vlans, an old one outside", frame: build(tb, ethernet(0x9100), tag(9, ad), tag(4, q), tag(3, ip4Type), rest4), kind: TCP, payload: 7, ends: ends4, vlan: 9},
		{
			name: "big tcp behind a vlan", frame: zeroLength(build(tb, ethernet(q), tag(0, ip4Type), ipv4(tcpProto), tcp(), body(1000)), 20), snap: snap,
			length: 18 + 40 + 100_000, kind: TCP, payload: 100_000, ends: ends4,
		},
		{name: "half a vlan tag", frame: build(tb, ethernet(q), body(60))[:16], err: ErrMalformed},
		{name: "arp", frame: arpFrame(tb, layers.EthernetTypeARP, 1, [4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 2}, broadcast), kind: ARP},
		{name: "arp for another network", frame: build(tb, ethernet(layers.EthernetTypeARP), gopacket.Payload{0, 1, 8, 0, 255, 255, 0, 1, 31: 0})},
		{name: "half an arp", frame: arpFrame(tb, layers.EthernetTypeARP, 1, [4]byte{}, [4]byte{}, broadcast)[:30], err: ErrMalformed},
		{name: "spanning tree", frame: build(tb, &layers.Ethernet{SrcMAC: otherMAC, DstMAC: broadcast, EthernetType: layers.EthernetTypeLLC, Length: 38}, body(38))},
		{name: "no ethernet header", frame: make([]byte, 13), err: ErrMalformed},
		{name: "nothing", err: ErrMalformed},
		{name: "cut to nothing", length: 60, err: ErrCut},
		{name: "cooked", link: Cooked1, frame: cooked1(ip4Type, packet4), kind: TCP, payload: 7, ends: ends4},
		{name: "cooked, vlan", link: Cooked1, frame: cooked1(q, behind(0, 5, 8, 0)), kind: TCP, payload: 7, ends: ends4, vlan: 5},
		{name: "cooked, cut", link: Cooked1, frame: cooked1(ip4Type, nil)[:15], err: ErrMalformed},
		{name: "cooked 2", link: Cooked2, frame: cooked2(ip6Type, packet6), kind: TCP, payload: 7, ends: ends6},
		{name: "cooked 2, cut", link: Cooked2, frame: cooked2(ip4Type, nil)[:19], length: 100, err: ErrCut},
		{name: "raw 4", link: RawIP, frame: packet4, kind: TCP, payload: 7, ends: ends4},
		{name: "raw 6", link: RawIP, frame: packet6, kind: TCP, payload: 7, ends: ends6},
		{name: "raw, neither", link: RawIP, frame: body(60), err: ErrMalformed},
		{name: "raw, nothing", link: RawIP, err: ErrMalformed},
		{name: "loopback, little endian", link: Null, frame: behind(2, 0, 0, 0), kind: TCP, payload: 7, ends: ends4},
		{name: "loopback, big endian", link: Null, frame: behind(0, 0, 0, 2), kind: TCP, payload: 7, ends: ends4},
		{name: "loopback, another family", link: Null, frame: behind(7, 0, 0, 0)},
		{name: "loopback, cut", link: Null, frame: []byte{2, 0, 0}, err: ErrMalformed},
		{name: "unsupported", link: Unsupported, frame: packet4},
	}
	for _, family := range []byte{10, 24, 28, 30} {
		cases = append(cases, decodeCase{name: "loopback 6", link: Null, frame: append([]byte{0, 0, 0, family}, packet6...), kind: TCP, payload: 7, ends: ends6})
	}
	return cases
}

func TestDecode(t *testing.T) {
	t.Parallel()
	for _, c := range slices.Concat(ipv4Cases(t), ipv6Cases(t), linkCases(t)) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			length, data := len(c.frame), c.frame
			if c.snap > 0 {
				data = data[:min(c.snap, len(data))]
			}
			if c.length > 0 {
				length = c.length
			}
			var p Packet
			if err := p.Decode(c.link, data, length); !errors.Is(err, c.err) || err == nil && c.err != nil {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if p.Kind != c.kind || p.VLAN != c.vlan {
				t.Fatalf("kind %v in vlan %d, want %v in %d", p.Kind, p.VLAN, c.kind, c.vlan)
			}
			if c.kind == TCP {
				checkTCP(t, p)
			}
			if c.kind != TCP && c.kind != UDP {
				return
			}
			if p.PayloadLength != c.payload || len(p.Payload) > c.payload || c.snap == 0 && c.length == 0 && len(p.Payload) < min(c.payload, 7) {
				t.Errorf("payload %d, captured %d, want %d", p.PayloadLength, len(p.Payload), c.payload)
			}
			if p.Src != netip.MustParseAddrPort(c.ends[0]) || p.Dst != netip.MustParseAddrPort(c.ends[1]) {
				t.Errorf("from %v to %v, want %v", p.Src, p.Dst, c.ends)
			}
		})
	}
}

// checkTCP looks at the fields that are the same in all cases.
func checkTCP(t *testing.T, p Packet) {
	t.Helper()
	if p.Seq != 0xfffffff0 || p.Ack != 7 || p.Flags != FlagACK|FlagPSH || p.Window != 501 {
		t.Errorf("got %+v", p)
	}
	if want := uint16(77); p.Src.Addr().Is4() && p.ID != want || p.Src.Addr().Is6() && p.ID != 0 {
		t.Errorf("id %d", p.ID)
	}
}

func TestDecodeFields(t *testing.T) {
	t.Parallel()
	var p Packet
	a, b := [4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 2}
	frame := arpFrame(t, 0x8035, 3, a, b, broadcast)
	if err := p.Decode(Ethernet, frame, len(frame)); err != nil {
		t.Fatal(err)
	}
	if !p.Reverse || p.Operation != 3 || p.SenderMAC != MAC(guestMAC) || p.TargetMAC != MAC(otherMAC) ||
		p.SenderIP != netip.AddrFrom4(a) || p.TargetIP != netip.AddrFrom4(b) || p.SrcMAC != MAC(guestMAC) || p.DstMAC != MAC(broadcast) {
		t.Errorf("got %+v", p)
	}
	for _, c := range []struct {
		op   uint16
		to   [4]byte
		mac  []byte
		want bool
	}{{1, a, broadcast, true}, {1, b, broadcast, false}, {2, a, otherMAC, true}, {2, b, broadcast, true}, {2, b, otherMAC, false}, {9, a, broadcast, false}} {
		frame := arpFrame(t, layers.EthernetTypeARP, c.op, a, c.to, c.mac)
		if err := p.Decode(Ethernet, frame, len(frame)); err != nil || p.Gratuitous() != c.want {
			t.Errorf("%+v: gratuitous is %v, %v", c, p.Gratuitous(), err)
		}
	}
	for link, frame := range map[Link][]byte{Cooked1: cooked1(ip4Type, nil), Cooked2: cooked2(ip4Type, nil)} {
		_ = p.Decode(link, frame, len(frame)+100)
		if p.SrcMAC != MAC(guestMAC) || p.DstMAC != (MAC{}) || p.EtherType != 0x0800 {
			t.Errorf("link %d: got %+v", link, p)
		}
	}
	frame = build(t, ethernet(ip4Type), ipv4(tcpProto), tcpOptions(), gopacket.Payload("abc"))
	if err := p.Decode(Ethernet, frame, len(frame)); err != nil || len(p.Options) != 40 || string(p.Payload) != "abc" {
		t.Errorf("options of %d B, payload %q, %v", len(p.Options), p.Payload, err)
	}
}

// A frame must leave nothing behind for the next one.
func TestDecodeForgets(t *testing.T) {
	t.Parallel()
	var p Packet
	if err := p.Decode(Ethernet, build(t, ethernet(ip4Type), ipv4(tcpProto), tcp(), body(9)), 63); err != nil || p.Kind != TCP {
		t.Fatal(p.Kind, err)
	}
	if err := p.Decode(Ethernet, make([]byte, 5), 5); err == nil || p.Kind != Other || p.SrcMAC != (MAC{}) || p.EtherType != 0 {
		t.Fatalf("%+v, error %v", p, err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, c := range slices.Concat(ipv4Cases(f), ipv6Cases(f), linkCases(f)) {
		if len(c.frame) < 1000 {
			f.Add(byte(c.link), c.frame, c.length)
		}
	}
	f.Fuzz(func(t *testing.T, link byte, data []byte, more int) {
		var p Packet
		length := len(data) + max(more, 0)%200_000
		err := p.Decode(Link(link), data, length)
		if err != nil && p.Kind != Other {
			t.Fatalf("error %v with kind %v", err, p.Kind)
		}
		if _, inner, length, ok := p.Inner(); ok && (length < len(inner) || p.Kind == TCP) {
			t.Fatalf("%d B of %d in a tunnel of kind %d", len(inner), length, p.Kind)
		}
		if p.Kind != TCP && p.Kind != UDP {
			return
		}
		// An IP header may claim up to 64 KiB; nothing can claim more than that and the frame.
		if p.PayloadLength < len(p.Payload) || p.PayloadLength > max(0xffff, length) {
			t.Fatalf("payload %d, captured %d, of a frame of %d", p.PayloadLength, len(p.Payload), length)
		}
		if !p.Src.IsValid() || !p.Dst.IsValid() {
			t.Fatalf("from %v to %v", p.Src, p.Dst)
		}
	})
}

// BenchmarkDecode shows the time for a frame.
func BenchmarkDecode(b *testing.B) {
	for name, frame := range map[string][]byte{
		"tcp4": build(b, ethernet(ip4Type), ipv4(tcpProto), tcpOptions(), body(1000))[:snap],
		"tcp6": build(b, ethernet(ip6Type), ipv6(tcpProto), tcpOptions(), body(1000))[:snap],
		"vlan": build(b, ethernet(layers.EthernetTypeDot1Q), &layers.Dot1Q{Type: ip4Type}, ipv4(tcpProto), tcp(), body(1000))[:snap],
	} {
		b.Run(name, func(b *testing.B) {
			var p Packet
			b.ReportAllocs()
			for b.Loop() {
				if err := p.Decode(Ethernet, frame, 1134); err != nil || p.Kind != TCP {
					b.Fatal(p.Kind, err)
				}
			}
		})
	}
}
