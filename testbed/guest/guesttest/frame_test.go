package guesttest

import (
	"bytes"
	"net"
	"net/netip"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// The frames are made and read by gopacket, which knows nothing of ours.

var (
	guestCard = card{mac: net.HardwareAddr{0x52, 0x54, 0, 0x77, 0, 0x10}, ip: netip.MustParseAddr("10.77.0.10")}
	askerMAC  = net.HardwareAddr{2, 0x76, 0x73, 0, 0, 3}
	askerIP   = net.IP{10, 77, 0, 3}
)

func encode(t testing.TB, list ...gopacket.SerializableLayer) []byte {
	t.Helper()
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, list...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func datagram(t testing.TB, edit func(*layers.Ethernet, *layers.IPv4, *layers.UDP)) []byte {
	eth := &layers.Ethernet{SrcMAC: askerMAC, DstMAC: guestCard.mac, EthernetType: layers.EthernetTypeIPv4}
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP, SrcIP: askerIP, DstIP: guestCard.ip.AsSlice(), Id: 77}
	udp := &layers.UDP{SrcPort: 40000, DstPort: echoPort}
	if edit != nil {
		edit(eth, ip, udp)
	}
	if err := udp.SetNetworkLayerForChecksum(ip); err != nil {
		t.Fatal(err)
	}
	return encode(t, eth, ip, udp, gopacket.Payload("verbatim, if you please"))
}

func request(t testing.TB, target net.IP) []byte {
	return encode(t,
		&layers.Ethernet{SrcMAC: askerMAC, DstMAC: broadcast, EthernetType: layers.EthernetTypeARP},
		&layers.ARP{
			AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4, HwAddressSize: 6, ProtAddressSize: 4,
			Operation: layers.ARPRequest, SourceHwAddress: askerMAC, SourceProtAddress: askerIP.To4(),
			DstHwAddress: make([]byte, 6), DstProtAddress: target.To4(),
		})
}

func TestAnswersEcho(t *testing.T) {
	sent := datagram(t, nil)
	got := guestCard.answer(bytes.Clone(sent))
	if len(got) != len(sent) {
		t.Fatalf("answer of %d B to %d B", len(got), len(sent))
	}
	p := gopacket.NewPacket(got, layers.LayerTypeEthernet, gopacket.Default)
	eth := p.Layer(layers.LayerTypeEthernet).(*layers.Ethernet)
	ip := p.Layer(layers.LayerTypeIPv4).(*layers.IPv4)
	udp := p.Layer(layers.LayerTypeUDP).(*layers.UDP)
	if eth.SrcMAC.String() != guestCard.mac.String() || eth.DstMAC.String() != askerMAC.String() {
		t.Errorf("from %s to %s", eth.SrcMAC, eth.DstMAC)
	}
	if !ip.SrcIP.Equal(guestCard.ip.AsSlice()) || !ip.DstIP.Equal(askerIP) || udp.SrcPort != echoPort || udp.DstPort != 40000 {
		t.Errorf("from %s:%d to %s:%d", ip.SrcIP, udp.SrcPort, ip.DstIP, udp.DstPort)
	}
	if string(udp.Payload) != "verbatim, if you please" {
		t.Errorf("payload %q", udp.Payload)
	}
	// The checksums must be what gopacket would have computed.
	want := encode(t, eth, ip, udpWithChecksum(t, udp, ip), gopacket.Payload(udp.Payload))
	if !bytes.Equal(got, want) {
		t.Errorf("got  %x\nwant %x", got, want)
	}
}

func udpWithChecksum(t *testing.T, udp *layers.UDP, ip *layers.IPv4) *layers.UDP {
	t.Helper()
	if err := udp.SetNetworkLayerForChecksum(ip); err != nil {
		t.Fatal(err)
	}
	return udp
}

func TestAnswersARP(t *testing.T) {
	got := guestCard.answer(request(t, guestCard.ip.AsSlice()))
	p := gopacket.NewPacket(got, layers.LayerTypeEthernet, gopacket.Default)
	arp, ok := p.Layer(layers.LayerTypeARP).(*layers.ARP)
	if !ok {
		t.Fatalf("no ARP in %x", got)
	}
	if arp.Operation != layers.ARPReply || !bytes.Equal(arp.SourceHwAddress, guestCard.mac) ||
		!bytes.Equal(arp.SourceProtAddress, guestCard.ip.AsSlice()) ||
		!bytes.Equal(arp.DstHwAddress, askerMAC) || !bytes.Equal(arp.DstProtAddress, askerIP) {
		t.Errorf("%+v", arp)
	}
	eth := p.Layer(layers.LayerTypeEthernet).(*layers.Ethernet)
	if eth.DstMAC.String() != askerMAC.String() || eth.SrcMAC.String() != guestCard.mac.String() {
		t.Errorf("from %s to %s", eth.SrcMAC, eth.DstMAC)
	}
}

func TestAnnouncements(t *testing.T) {
	rarp := gopacket.NewPacket(guestCard.announcement(), layers.LayerTypeEthernet, gopacket.Default)
	eth := rarp.Layer(layers.LayerTypeEthernet).(*layers.Ethernet)
	if eth.EthernetType != 0x8035 || eth.SrcMAC.String() != guestCard.mac.String() || eth.DstMAC.String() != broadcast.String() {
		t.Errorf("%+v", eth)
	}
	garp := gopacket.NewPacket(guestCard.gratuitous(), layers.LayerTypeEthernet, gopacket.Default)
	arp, ok := garp.Layer(layers.LayerTypeARP).(*layers.ARP)
	if !ok || arp.Operation != layers.ARPRequest || !bytes.Equal(arp.SourceProtAddress, arp.DstProtAddress) || !bytes.Equal(arp.SourceHwAddress, guestCard.mac) {
		t.Errorf("%+v", arp)
	}
}

func TestLeavesTheRestAlone(t *testing.T) {
	for name, f := range map[string][]byte{
		"nothing":         {},
		"short":           datagram(t, nil)[:13],
		"cut":             datagram(t, nil)[:40],
		"another port":    datagram(t, func(_ *layers.Ethernet, _ *layers.IPv4, udp *layers.UDP) { udp.DstPort = 9 }),
		"another address": datagram(t, func(_ *layers.Ethernet, ip *layers.IPv4, _ *layers.UDP) { ip.DstIP = net.IP{10, 77, 0, 2} }),
		"another MAC":     datagram(t, func(eth *layers.Ethernet, _ *layers.IPv4, _ *layers.UDP) { eth.DstMAC = askerMAC }),
		"broadcast":       datagram(t, func(eth *layers.Ethernet, _ *layers.IPv4, _ *layers.UDP) { eth.DstMAC = broadcast }),
		"fragment":        datagram(t, func(_ *layers.Ethernet, ip *layers.IPv4, _ *layers.UDP) { ip.Flags = layers.IPv4MoreFragments }),
		"another ARP":     request(t, net.IP{10, 77, 0, 2}),
		"our own RARP":    guestCard.announcement(),
	} {
		if got := guestCard.answer(f); got != nil {
			t.Errorf("%s is answered: %x", name, got)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(datagram(f, nil))
	f.Add(request(f, guestCard.ip.AsSlice()))
	f.Fuzz(func(t *testing.T, frame []byte) {
		n := len(frame)
		got := guestCard.answer(frame)
		if len(got) > n {
			t.Errorf("an answer of %d B to %d B", len(got), n)
		}
		if got != nil && !bytes.Equal(got[6:12], guestCard.mac) {
			t.Errorf("an answer from %x", got[6:12])
		}
	})
}
