package capture

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
	"virtscope/probes/capture/packet"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func openLive(tb testing.TB, o LiveOptions) *Live {
	tb.Helper()
	if o.RingBytes == 0 {
		o.RingBytes = 8 << 20
	}
	l, err := Open(o)
	must(tb, err)
	tb.Cleanup(func() { must(tb, l.Close()) })
	return l
}

// rest gives all frames until the source's end, with copies of their data.
func rest(tb testing.TB, src Source) (frames []Frame) {
	tb.Helper()
	for {
		f, err := src.Next()
		if errors.Is(err, io.EOF) {
			return frames
		}
		must(tb, err)
		f.Data = bytes.Clone(f.Data)
		frames = append(frames, f)
	}
}

// arrived stops the capture when n frames have come, or never will, and returns all: a sent frame may wait for the kernel's thread.
func arrived(tb testing.TB, l *Live, n int) (frames []Frame) {
	tb.Helper()
	late := time.AfterFunc(time.Minute, l.Stop)
	defer late.Stop()
	for len(frames) < n {
		f, err := l.Next()
		if errors.Is(err, io.EOF) {
			return frames
		}
		must(tb, err)
		f.Data = bytes.Clone(f.Data)
		frames = append(frames, f)
	}
	l.Stop()
	return append(frames, rest(tb, l)...)
}

func TestLiveDirections(t *testing.T) {
	for d, want := range map[Direction]int{Incoming: 10, Both: 30} {
		a, b := newNamespace(t), newNamespace(t)
		join(t, a, "a0", b, "b0")
		l := openLive(t, LiveOptions{In: b, Interface: "b0", Direction: d})
		to, from := newSender(t, a, "a0"), newSender(t, b, "b0")
		for i := range 10 {
			to.send(t, numbered(60, i))
			from.send(t, numbered(1000, i))
			from.send(t, numbered(1000, i))
		}
		frames := arrived(t, l, want)
		if len(frames) != want {
			t.Errorf("direction %d: %d frames, want %d", d, len(frames), want)
		}
		for _, f := range frames {
			if f.Outgoing != (f.Length == 1000) || f.Length != len(f.Data) || l.Interfaces()[f.Interface] != "b0" || f.Link != packet.Ethernet {
				t.Fatalf("direction %d: got %+v", d, f)
			}
		}
		if s, err := l.Stats(); err != nil || s != (Stats{Frames: int64(want)}) {
			t.Errorf("stats %+v, %v", s, err)
		}
	}
}

func TestLiveInterfaces(t *testing.T) {
	a, b := newNamespace(t), newNamespace(t)
	join(t, a, "a0", b, "b0")
	join(t, a, "a1", b, "b1")
	for name, c := range map[string]struct {
		o    LiveOptions
		want map[string]int
	}{
		"all":     {LiveOptions{}, map[string]int{"b0": 1, "b1": 1}},
		"any":     {LiveOptions{Interface: AnyInterface}, map[string]int{"b0": 1, "b1": 1, "lo": 1}},
		"one":     {LiveOptions{Interface: "b1"}, map[string]int{"b1": 1}},
		"exclude": {LiveOptions{Exclude: []string{"b0"}, Fanout: 2}, map[string]int{"b1": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			c.o.In = b
			l := openLive(t, c.o)
			newSender(t, a, "a0").send(t, numbered(60, 0))
			newSender(t, a, "a1").send(t, numbered(60, 0))
			newSender(t, b, "lo").send(t, numbered(60, 0))
			got := map[string]int{}
			for _, f := range arrived(t, l, len(c.want)) {
				got[l.Interfaces()[f.Interface]]++
			}
			if len(got) != len(c.want) {
				t.Errorf("got frames of %v, want %v", got, c.want)
			}
			for i, n := range c.want {
				if got[i] != n {
					t.Errorf("got frames of %v, want %v", got, c.want)
				}
			}
		})
	}
}

func TestLivePromiscuousUntilClose(t *testing.T) {
	a, b := newNamespace(t), newNamespace(t)
	join(t, a, "a0", b, "b0")
	users := func() (n int) {
		must(t, b.Do(func() error {
			l, err := netlink.LinkByName("b0")
			if err == nil {
				n = l.Attrs().Promisc
			}
			return err
		}))
		return n
	}
	l, err := Open(LiveOptions{In: b, Promiscuous: true, RingBytes: 1 << 20})
	must(t, err)
	if got := users(); got != 1 {
		t.Errorf("promiscuity %d while it captures, want 1", got)
	}
	must(t, l.Close())
	if got := users(); got != 0 {
		t.Errorf("promiscuity %d after close, want 0", got)
	}
}

// A tag is taken off by the kernel when it receives; the filter sees the frame without it.
func TestLiveTells(t *testing.T) {
	a, b := newNamespace(t), newNamespace(t)
	join(t, a, "a0", b, "b0")
	host := netip.MustParseAddrPort("10.0.0.2:4444")
	for name, tags := range map[string][]uint16{"none": nil, "one": {0x8100}, "two": {0x88a8, 0x8100}} {
		t.Run(name, func(t *testing.T) {
			l := openLive(t, LiveOptions{In: b, Interface: "b0", Filter: Filter{Flows: []FlowMatch{{Addr: host.Addr(), Ports: []uint16{4444}, Snap: 70}}}})
			d := draft{etherType: 0x800, protocol: 6, from: netip.MustParseAddrPort("10.0.0.1:50000"), to: host, payload: 100, tags: tags, cut: -1}
			frame := d.build()
			newSender(t, a, "a0").send(t, frame)
			l.Stop()
			frames := rest(t, l)
			if len(frames) != 1 {
				t.Fatalf("%d frames, want 1", len(frames))
			}
			vlan, taken := uint16(0), 0
			if len(tags) > 0 {
				vlan, taken = 100, 4
			}
			if f := frames[0]; f.VLAN != vlan || f.Length != len(frame)-taken || len(f.Data) != 70 || !bytes.Equal(f.Data[:12], frame[:12]) {
				t.Errorf("got VLAN %d, %d of %d B, want VLAN %d, 70 of %d B", f.VLAN, len(f.Data), f.Length, vlan, len(frame)-taken)
			}
		})
	}
}

// The kernel runs the program as the emulator does, on each frame, and cuts as told.
func TestLiveFilterAgreesWithPredicate(t *testing.T) {
	a, b := newNamespace(t), newNamespace(t)
	join(t, a, "a0", b, "b0")
	out := newSender(t, a, "a0")
	r := rand.New(rand.NewPCG(7, 8))
	for range 15 {
		f, snap := randomFilter(r), pick(r, 0, 100)
		l := openLive(t, LiveOptions{In: b, Interface: "b0", Filter: f, Snap: snap, RingBytes: 4 << 20})
		var want [][]byte
		for range 200 {
			d := randomDraft(r)
			d.link = packet.Ethernet
			if len(d.tags) > 0 && d.cut >= 0 {
				d.cut = max(d.cut, 40) // Linux does not pass on a frame that ends in its tags
			}
			frame := d.build()
			if len(frame) < 14 {
				continue
			}
			out.send(t, frame)
			if len(d.tags) > 0 && d.tags[0] != 0x9100 { // Linux takes this one off
				frame = append(bytes.Clone(frame[:12]), frame[16:]...)
			}
			if n := expected(f, snap, packet.Ethernet, frame); n > 0 {
				want = append(want, frame[:min(int(n), len(frame))])
			}
		}
		l.Stop()
		got := rest(t, l)
		if len(got) != len(want) {
			t.Fatalf("filter %+v: %d frames, want %d", f, len(got), len(want))
		}
		for i := range got {
			if !bytes.Equal(got[i].Data, want[i]) {
				t.Fatalf("filter %+v: frame %d is %x, want %x", f, i, got[i].Data, want[i])
			}
		}
	}
}

// A tun device has no Ethernet header.
func TestLiveAtTun(t *testing.T) {
	n := newNamespace(t)
	var fd int
	err := n.Do(func() (err error) {
		if fd, err = unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil {
			return err
		}
		request, err := unix.NewIfreq("tun0")
		if err != nil {
			return err
		}
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
			return err
		}
		return up("tun0")
	})
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EPERM) {
		t.Skip("needs /dev/net/tun: ", err)
	}
	must(t, err)
	defer unix.Close(fd)
	f := Filter{Flows: []FlowMatch{{Ports: []uint16{4444}, Snap: 50}}, MACs: []net.HardwareAddr{{1, 2, 3, 4, 5, 6}}, ARP: true}
	l := openLive(t, LiveOptions{In: n, Filter: f})
	r := rand.New(rand.NewPCG(9, 10))
	var want [][]byte
	for range 300 {
		d := randomDraft(r)
		d.link = packet.RawIP
		frame := d.build()
		if len(frame) == 0 {
			continue
		}
		if _, err := unix.Write(fd, frame); err != nil {
			t.Fatalf("write %x to tun: %v", frame, err)
		}
		if n := expected(f, 0, packet.RawIP, frame); n > 0 {
			want = append(want, frame[:min(int(n), len(frame))])
		}
	}
	l.Stop()
	got := rest(t, l)
	if len(got) != len(want) || len(want) < 20 {
		t.Fatalf("%d frames, want %d", len(got), len(want))
	}
	for i, g := range got {
		if g.Link != packet.RawIP || !bytes.Equal(g.Data, want[i]) {
			t.Fatalf("frame %d: link %d, %x, want %x", i, g.Link, g.Data, want[i])
		}
	}
}

func TestLiveIsRefused(t *testing.T) {
	n := newNamespace(t)
	for want, o := range map[string]LiveOptions{
		"nosuch0":     {Interface: "nosuch0"},
		"nosuch1":     {Exclude: []string{"nosuch1"}},
		"fan out":     {Fanout: 1000},
		"snap length": {Snap: -1},
		"ring":        {RingBytes: -1},
	} {
		o.In = n
		if _, err := Open(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s in it", err, want)
		}
	}
}
