package capture

import (
	"encoding/binary"
	"net"
	"testing"
	"virtscope/probes/capture/packet"
	"virtscope/results"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// arpFrame is ARP or RARP by the guest for Ethernet and IPv4, byte by byte (RFC 826, RFC 903).
func arpFrame(tb testing.TB, t layers.EthernetType, op uint16, sender, target [4]byte, to net.HardwareAddr) []byte {
	tb.Helper()
	p := gopacket.Payload{0, 1, 8, 0, 6, 4, 0, 0}
	binary.BigEndian.PutUint16(p[6:8], op)
	p = append(append(append(p, guestMAC...), sender[:]...), guestMAC...)
	p = append(p, target[:]...)
	return build(tb, &layers.Ethernet{SrcMAC: guestMAC, DstMAC: to, EthernetType: t}, p)
}

// foreign is the same frame from another source.
func foreign(frame []byte, sender bool) []byte {
	copy(frame[6:12], otherMAC)
	if sender {
		copy(frame[22:28], otherMAC)
	}
	return frame
}

func TestGuest(t *testing.T) {
	t.Parallel()
	a, b, zero := [4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 2}, [4]byte{}
	arp, rarp := layers.EthernetTypeARP, etherTypeRARP
	for _, c := range []struct {
		name     string
		frame    []byte
		frames   int
		announce string
	}{
		{"data", build(t, ethernet(layers.EthernetTypeIPv4), ipv4(layers.IPProtocolUDP), body(50)), 1, ""},
		{"data to the guest", foreign(build(t, ethernet(layers.EthernetTypeIPv4), ipv4(layers.IPProtocolUDP), body(50)), false), 0, ""},
		{"rarp", arpFrame(t, rarp, 3, zero, zero, broadcast), 1, "rarp"},
		{"rarp sent for the guest", foreign(arpFrame(t, rarp, 3, zero, zero, broadcast), false), 0, "rarp"},
		{"rarp of another", foreign(arpFrame(t, rarp, 3, zero, zero, broadcast), true), 0, ""},
		{"gratuitous request", arpFrame(t, arp, 1, a, a, broadcast), 1, "garp"},
		{"gratuitous reply", arpFrame(t, arp, 2, a, a, broadcast), 1, "garp"},
		{"reply to all", arpFrame(t, arp, 2, a, b, broadcast), 1, "garp"},
		{"request", arpFrame(t, arp, 1, a, b, broadcast), 1, ""},
		{"probe (RFC 5227)", arpFrame(t, arp, 1, zero, b, broadcast), 1, ""},
		{"reply to one", arpFrame(t, arp, 2, a, b, otherMAC), 1, ""},
		{"gratuitous of another", foreign(arpFrame(t, arp, 1, a, a, broadcast), true), 0, ""},
		{"malformed", arpFrame(t, arp, 1, a, a, broadcast)[:30], 1, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var log recorder
			o, _ := newObserver(Config{Name: results.SourceCaptureSwitch, Host: "switch", GuestMAC: guestMAC}, &ports{map[int]*port{7: newPort("dst")}}, &log)
			if err := o.see(Frame{Data: c.frame, Length: len(c.frame), Time: 42, Interface: 7}); err != nil {
				t.Fatal(err)
			}
			frames, announcements := log.named(results.GuestFrame), log.named(results.GuestAnnounce)
			if len(frames) != c.frames {
				t.Fatalf("guest frames: %+v, want %d", frames, c.frames)
			}
			if c.frames == 1 {
				f := frames[0]
				if f.Value != float64(len(c.frame)) || f.Unit != results.Bytes || f.Time != 42 || f.Attrs["port"] != "dst" ||
					f.Host != "switch" || f.Source != results.SourceCaptureSwitch {
					t.Fatalf("got %+v", f)
				}
			}
			if c.announce == "" {
				if len(announcements) != 0 {
					t.Fatalf("announcements: %+v, want none", announcements)
				}
				return
			}
			if len(announcements) != 1 || announcements[0].Attrs["kind"] != c.announce || announcements[0].Attrs["port"] != "dst" || announcements[0].Time != 42 {
				t.Fatalf("announcements: %+v, want %s", announcements, c.announce)
			}
		})
	}
}

func TestSeeAllocatesNothing(t *testing.T) {
	frames := [][]byte{
		build(t, ethernet(layers.EthernetTypeIPv4), ipv4(layers.IPProtocolTCP), tcpOptions(), body(1000)),
		build(t, ethernet(layers.EthernetTypeIPv4), ipv4(layers.IPProtocolUDP), body(50)),
		build(t, ethernet(layers.EthernetTypeIPv6), ipv6(layers.IPProtocolTCP), tcp(), body(50)),
		arpFrame(t, layers.EthernetTypeARP, 1, [4]byte{1}, [4]byte{1}, broadcast),
	}
	disk, client := testFlow(), FlowSpec{Name: results.FlowClient, Dst: testFlow().Src, Ports: []uint16{7}, UDP: true}
	disk.Name = results.FlowDisk
	o, err := newObserver(Config{GuestMAC: guestMAC, Guests: map[packet.MAC]string{packet.MAC(guestMAC): "guest-1"}, Flow: testFlow(), Flows: []FlowSpec{disk, client}, Bin: 1000},
		&ports{map[int]*port{7: newPort("src")}}, results.RecorderFunc(func(results.Record) {}))
	if err != nil {
		t.Fatal(err)
	}
	at := int64(1e18)
	allocs := testing.AllocsPerRun(500, func() {
		for _, data := range frames {
			at += 500
			if err := o.see(Frame{Data: data, Length: len(data), Time: at, Interface: 7}); err != nil {
				t.Fatal(err)
			}
		}
	})
	if allocs != 0 {
		t.Fatalf("%v allocations for %d frames, want none", allocs, len(frames))
	}
}

func TestUnknownPortIsNamed(t *testing.T) {
	t.Parallel()
	p := ports{map[int]*port{}}
	if got := p.of(12); got.name != "interface 12" || got != p.of(12) {
		t.Fatalf("got %+v", got)
	}
}
