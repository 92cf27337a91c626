package station_test

import (
	"net/netip"
	"strconv"
	"testing"
	"virtscope/probes/capture/packet"
	"virtscope/probes/wire/station"
	"virtscope/probes/wire/tcp"
	"virtscope/results"

	"github.com/google/go-cmp/cmp"
)

var (
	guest  = packet.MAC{0x52, 0x54, 0, 0, 0, 1}
	client = packet.MAC{2, 0, 0, 0, 0, 9}
	router = packet.MAC{2, 0, 0, 0, 0, 8}
)

// A scene gives frames to a Watch, a millisecond apart unless told otherwise.
type scene struct {
	watch *station.Watch
	at    tcp.Stamp
	n     byte
}

func newScene(asked func(packet.MAC, netip.Addr) bool) *scene {
	return &scene{watch: station.New(asked), at: tcp.Stamp{Time: 1e9}}
}

// frame passes ports one after another, 1 µs apart, as a switch forwards it.
func (s *scene) frame(p packet.Packet, ports ...string) {
	s.n++
	data := []byte{s.n, p.SrcMAC[5], p.DstMAC[5], byte(p.Kind)}
	s.at.Time += 1e6
	for i, port := range ports {
		s.at.Packet++
		s.watch.Frame(&p, data, 60, port, tcp.Stamp{Time: s.at.Time + int64(i)*1000, Packet: s.at.Packet})
	}
}

func (s *scene) wait(ms int64) { s.at.Time += ms * 1e6 }

func (s *scene) from(src, dst packet.MAC, ports ...string) {
	s.frame(packet.Packet{Kind: packet.UDP, SrcMAC: src, DstMAC: dst}, ports...)
}

func (s *scene) rarp(ports ...string) {
	s.frame(packet.Packet{Kind: packet.ARP, Reverse: true, Operation: 3, SrcMAC: guest, SenderMAC: guest, TargetMAC: guest}, ports...)
}

func (s *scene) garp(ports ...string) {
	ip := netip.MustParseAddr("10.0.0.5")
	s.frame(packet.Packet{Kind: packet.ARP, Operation: 1, SrcMAC: guest, SenderMAC: guest, SenderIP: ip, TargetIP: ip}, ports...)
}

// told lists the records: ms since the first frame, name, value, and what matters of the attributes.
func (s *scene) told() []string {
	var list []string
	s.watch.Record(func(r results.Record) {
		line := strconv.FormatInt((r.Time-1e9)/1e6, 10) + " " + r.Name
		if r.Unit != results.Event {
			line += " " + strconv.FormatFloat(r.Value, 'g', 4, 64)
		}
		for _, a := range []string{"how", "kind", "port", "next", "frames"} {
			if v := r.Attrs[a]; v != "" {
				line += " " + v
			}
		}
		if r.Name == results.WireGuestSilence && r.Value < 0.005 {
			return
		}
		list = append(list, line)
	})
	return list
}

// A guest that answers a client moves from port a to port b; the switch learns it late.
func TestMove(t *testing.T) {
	t.Parallel()
	s := newScene(nil)
	for range 5 {
		s.from(client, guest, "c", "a")
		s.from(guest, client, "a", "c")
	}
	s.wait(40)
	s.rarp("b", "a", "c") // broadcast: the switch sends it everywhere
	s.from(client, guest, "c", "a")
	s.from(client, guest, "c", "a")
	for range 3 {
		s.from(client, guest, "c", "b")
		s.from(guest, client, "b", "c")
	}
	want := []string{
		"51 wire.guest announced",
		"51 wire.guest.announce rarp b",
		"10 wire.guest.silence 0.045 a b",
		"10 wire.guest.last a",
		"55 wire.guest.first b",
		"53 wire.guest.stale 0.002001 a 2",
	}
	if diff := cmp.Diff(want, s.told()); diff != "" {
		t.Error(diff)
	}
}

// Only the two hosts' ports are captured: the client's frames then show up at either, and it is no guest.
func TestClientBehindNoPortIsNoGuest(t *testing.T) {
	t.Parallel()
	s := newScene(nil)
	for range 3 {
		s.from(client, guest, "a")
		s.from(guest, client, "a")
	}
	s.wait(20)
	s.garp("b", "a")
	for range 3 {
		s.from(client, guest, "b")
		s.from(guest, client, "b")
	}
	want := []string{
		"27 wire.guest moved",
		"27 wire.guest.announce garp b",
		"6 wire.guest.silence 0.023 a b",
		"6 wire.guest.last a",
		"29 wire.guest.first b",
	}
	if diff := cmp.Diff(want, s.told()); diff != "" {
		t.Error(diff)
	}
}

// What a neighbour behind the old port sends to the guest enters there: the switch did not deliver it.
func TestNeighbourIsNotStale(t *testing.T) {
	t.Parallel()
	s := newScene(nil)
	s.from(guest, client, "a", "c")
	s.rarp("b", "a", "c")
	s.from(router, guest, "a", "b")
	s.from(guest, router, "b", "a")
	for _, line := range s.told() {
		if line[len(line)-3:] == "a 1" {
			t.Errorf("%s: the router lives behind a", line)
		}
	}
}

// One capture point: the guest is known by its announcement, and its silence is told without ports.
func TestOnePort(t *testing.T) {
	t.Parallel()
	s := newScene(nil)
	s.from(guest, client, "")
	s.wait(30)
	s.rarp("")
	s.from(guest, client, "")
	want := []string{"32 wire.guest announced", "32 wire.guest.announce rarp", "1 wire.guest.silence 0.032"}
	if diff := cmp.Diff(want, s.told()); diff != "" {
		t.Error(diff)
	}
}

func TestAsked(t *testing.T) {
	t.Parallel()
	s := newScene(func(m packet.MAC, _ netip.Addr) bool { return m == client })
	s.from(client, guest, "a")
	s.from(guest, client, "a")
	if diff := cmp.Diff([]string{"1 wire.guest asked"}, s.told()); diff != "" {
		t.Error(diff)
	}
}

// A client that repeats a frame byte for byte at its port is heard each time.
func TestRepeatedFrameIsNoCopy(t *testing.T) {
	t.Parallel()
	s := newScene(func(m packet.MAC, _ netip.Addr) bool { return m == guest })
	for range 4 {
		s.n = 0
		s.from(guest, client, "a", "b")
		s.wait(9)
	}
	if got := s.told(); len(got) != 4 {
		t.Errorf("%q, want the guest and its three silences", got)
	}
}

// Many stations and many silences must not fill the memory, and the move must not be forgotten for them.
func TestBounded(t *testing.T) {
	t.Parallel()
	s := newScene(nil)
	s.from(guest, client, "a")
	s.rarp("b")
	s.from(guest, client, "b")
	for i := range 20_000 {
		s.n = byte(i)
		mac := packet.MAC{6, 0, 0, byte(i >> 16), byte(i >> 8), byte(i)}
		s.from(mac, client, "a")
		s.wait(int64(i % 50))
		s.from(guest, client, "b")
	}
	silences, moved := 0, false
	s.watch.Record(func(r results.Record) {
		if r.Name == results.WireGuestSilence {
			silences++
			moved = moved || r.Attrs["port"] == "a" && r.Attrs["next"] == "b"
		}
	})
	if silences == 0 || silences > 20 || !moved {
		t.Errorf("%d silences, the move among them: %v", silences, moved)
	}
}

// What a migration takes for the guest's arrival must not come of a station that only seems to move.
func TestSigns(t *testing.T) {
	t.Parallel()
	s := newScene(func(m packet.MAC, _ netip.Addr) bool { return m == router })
	var signs []string
	s.watch.Notify = func(g station.Sign) { signs = append(signs, g.Kind+" "+g.Port) }
	for range 3 { // the client's own port is not captured
		s.from(client, guest, "a")
		s.from(client, router, "b")
	}
	s.from(guest, client, "a")
	s.garp("a") // where it is: no arrival
	s.garp("b", "a")
	s.rarp("b", "a")
	s.from(router, client, "a")
	s.from(router, client, "b")
	if diff := cmp.Diff([]string{"garp b", "rarp b", "frame b"}, signs); diff != "" {
		t.Error(diff)
	}
}
