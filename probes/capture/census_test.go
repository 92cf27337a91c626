package capture

import (
	"fmt"
	"net"
	"slices"
	"testing"
	"virtscope/probes/capture/packet"
	"virtscope/results"

	"github.com/google/gopacket/layers"
	"golang.org/x/sys/unix"
)

// as is a frame of another sender; with ARP, of another sender there too.
func as(frame []byte, mac net.HardwareAddr, arp bool) []byte {
	frame = slices.Clone(frame)
	copy(frame[6:12], mac)
	if arp {
		copy(frame[22:28], mac)
	}
	return frame
}

func TestCensus(t *testing.T) {
	t.Parallel()
	first, second := guestMAC, net.HardwareAddr{0x52, 0x54, 0, 1, 2, 4}
	stranger := net.HardwareAddr{0x02, 0, 0, 0, 0, 9}
	group := net.HardwareAddr{0x03, 0, 0, 0, 0, 9}
	a, b, zero := [4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 2}, [4]byte{}
	data := build(t, ethernet(layers.EthernetTypeIPv4), ipv4(layers.IPProtocolUDP), body(50))
	ask := arpFrame(t, layers.EthernetTypeARP, 1, a, b, broadcast)
	probe := arpFrame(t, layers.EthernetTypeARP, 1, zero, a, broadcast)
	rarp := arpFrame(t, etherTypeRARP, 3, zero, zero, broadcast)
	type frame struct {
		data []byte
		port int
	}
	for _, tt := range []struct {
		name   string
		moves  bool
		frames []frame
		want   []string // records, as words
	}{
		{"first frames", false, []frame{{data, 7}, {data, 7}, {as(data, second, false), 8}, {as(data, stranger, false), 7}}, []string{
			"1 boot.frame one src", "3 boot.frame two dst",
		}},
		{"a hypervisor's word is no frame of the guest", false, []frame{{rarp, 7}, {data, 7}}, []string{"2 boot.frame one src"}},
		{"a MAC at two ports", false, []frame{{data, 7}, {data, 8}, {data, 7}}, []string{
			"1 boot.frame one src", "2 identity.conflict mac 52:54:00:01:02:03 one src,dst",
		}},
		{"a guest that moves", true, []frame{{data, 7}, {data, 8}}, []string{"1 boot.frame one src"}},
		{"a guest's MAC that another's hypervisor announces", false, []frame{{data, 7}, {rarp, 8}}, []string{
			"1 boot.frame one src", "2 identity.conflict mac 52:54:00:01:02:03 one src,dst",
		}},
		{"a saved MAC that is nobody's, announced for each clone", false, []frame{{as(rarp, stranger, true), 7}, {as(rarp, stranger, true), 8}}, nil},
		{"a stranger at two ports", false, []frame{{as(data, stranger, false), 7}, {as(data, stranger, false), 8}}, []string{
			"2 identity.conflict mac 02:00:00:00:00:09 02:00:00:00:00:09 src,dst",
		}},
		{"a group is nobody", false, []frame{{as(data, group, false), 7}, {as(data, group, false), 8}}, nil},
		{"an address of two", false, []frame{{ask, 7}, {as(ask, second, true), 8}, {ask, 7}}, []string{
			"1 boot.frame one src", "2 boot.frame two dst", "2 identity.conflict address 10.0.0.1 one,two dst",
		}},
		{"a probe claims nothing", false, []frame{{ask, 7}, {as(probe, second, true), 8}}, []string{"1 boot.frame one src", "2 boot.frame two dst"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var log recorder
			c := Config{
				Name: results.SourceCaptureSwitch, Host: "switch", GuestsMove: tt.moves,
				Guests: map[packet.MAC]string{packet.MAC(first): "one", packet.MAC(second): "two"},
			}
			o, err := newObserver(c, &ports{map[int]*port{7: newPort("src"), 8: newPort("dst")}}, &log)
			must(t, err)
			for i, f := range tt.frames {
				must(t, o.see(Frame{Data: f.data, Length: len(f.data), Time: int64(i + 1), Interface: f.port}))
			}
			var got []string
			for _, r := range log.records {
				words := fmt.Sprint(r.Time, " ", r.Name, " ")
				if r.Name == results.BootFrame {
					words += r.Attrs[results.AttrGuest] + " " + r.Attrs["port"]
				} else {
					words += r.Attrs["kind"] + " " + r.Attrs["value"] + " " + r.Attrs["guests"] + " " + r.Attrs["ports"]
				}
				if r.Host != "switch" || r.Source != results.SourceCaptureSwitch {
					t.Errorf("got %+v", r)
				}
				got = append(got, words)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n%q\nwant\n%q", got, tt.want)
			}
		})
	}
}

// Memory is bounded, whatever a guest sends.
func TestCensusIsBounded(t *testing.T) {
	t.Parallel()
	var log recorder
	o, err := newObserver(Config{Guests: map[packet.MAC]string{packet.MAC(guestMAC): ""}}, &ports{map[int]*port{7: newPort("src")}}, &log)
	must(t, err)
	for i := range maxCensus + 100 {
		ip := [4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}
		f := arpFrame(t, layers.EthernetTypeARP, 1, ip, ip, broadcast)
		f = as(f, net.HardwareAddr{2, 0, 0, byte(i >> 16), byte(i >> 8), byte(i)}, true)
		must(t, o.see(Frame{Data: f, Length: len(f), Time: 1, Interface: 7}))
	}
	if len(o.census.seen) != maxCensus || len(o.census.holders) != maxCensus {
		t.Errorf("%d MACs and %d addresses are remembered", len(o.census.seen), len(o.census.holders))
	}
}

// At two taps of one host, with real frames: the first of each guest, and a clone that took another's MAC.
func TestProbeAtTaps(t *testing.T) {
	n := newNamespace(t)
	for _, tap := range []string{"tap0", "tap1"} {
		if err := n.Do(func() error { return addTap(tap) }); err != nil {
			t.Skip("needs /dev/net/tun: ", err)
		}
	}
	second := net.HardwareAddr{0x52, 0x54, 0, 1, 2, 4}
	c := Config{
		Name: results.SourceCapturePrefix + "src", Host: "src", In: n,
		Ports:  map[string]string{"tap0": "src", "tap1": "src"},
		Guests: map[packet.MAC]string{packet.MAC(guestMAC): "one", packet.MAC(second): "two"}, RingBytes: 2 << 20,
	}
	log := observe(t, c, func() {
		for tap, macs := range map[string][]net.HardwareAddr{"tap0": {guestMAC, guestMAC}, "tap1": {second, second, guestMAC}} {
			fd := plug(t, n, tap)
			for _, mac := range macs {
				if _, err := unix.Write(fd, as(numbered(100, 1), mac, false)); err != nil {
					t.Fatalf("write to %s: %v", tap, err)
				}
			}
			must(t, unix.Close(fd))
		}
	})
	var guests []string
	for _, r := range log.named(results.BootFrame) {
		guests = append(guests, r.Attrs[results.AttrGuest]+" at "+r.Attrs["port"])
	}
	slices.Sort(guests)
	if !slices.Equal(guests, []string{"one at src", "two at src"}) {
		t.Errorf("first frames: %v", guests)
	}
	if got := log.named(results.IdentityConflict); len(got) != 1 || got[0].Attrs["guests"] != "one" || got[0].Attrs["ports"] != "src,src" {
		t.Errorf("conflicts: %+v", got)
	}
	if got := log.named(results.GuestFrame); len(got) != 0 {
		t.Errorf("%d records of single frames", len(got))
	}
}
