package capture

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"testing"
)

// talk sends rounds segments in both directions of n connections, half of them IPv6, with their round as payload.
func talk(tb testing.TB, out *sender, n, rounds int) {
	tb.Helper()
	for round := range rounds {
		for i := range n {
			d := draft{etherType: 0x800, protocol: 6, payload: 4, cut: -1}
			a, b := netip.AddrFrom4([4]byte{10, 0, 0, 1}), netip.AddrFrom4([4]byte{10, 0, byte(i), 2})
			if i%2 == 1 {
				d.etherType = 0x86dd
				a, b = netip.AddrFrom16([16]byte{0xfd, 15: 1}), netip.AddrFrom16([16]byte{0xfd, 14: byte(i), 15: 2})
			}
			d.from, d.to = netip.AddrPortFrom(a, 50000+uint16(i)), netip.AddrPortFrom(b, 4444)
			for range 2 {
				frame := d.build()
				binary.BigEndian.PutUint32(frame[len(frame)-4:], uint32(round))
				out.send(tb, frame)
				d.from, d.to = d.to, d.from
			}
		}
	}
}

func TestFanoutKeepsConnectionsTogether(t *testing.T) {
	a, b := newNamespace(t), newNamespace(t)
	join(t, a, "a0", b, "b0")
	const rings, connections, rounds = 4, 64, 20
	l := openLive(t, LiveOptions{In: b, Interface: "b0", Fanout: rings, Snap: 200, RingBytes: 8 << 20})
	sources := l.Sources()
	if len(sources) != rings {
		t.Fatalf("%d sources, want %d", len(sources), rings)
	}
	seen := make([][]Frame, rings)
	var readers sync.WaitGroup
	for i, src := range sources {
		readers.Go(func() { seen[i] = rest(t, src) })
	}
	talk(t, newSender(t, a, "a0"), connections, rounds)
	l.Stop()
	readers.Wait()

	type way struct{ from, to netip.AddrPort }
	where, next := map[way]int{}, map[way]uint32{}
	used := map[int]bool{}
	for i, frames := range seen {
		for _, f := range frames {
			from, to, ok := endpoints(int(binary.BigEndian.Uint16(f.Data[12:])), f.Data[14:])
			if !ok {
				t.Fatalf("a frame that was not sent: %x", f.Data)
			}
			w := way{from, to}
			for _, one := range []way{w, {to, from}} {
				if at, ok := where[one]; ok && at != i {
					t.Fatalf("%v is in ring %d, and %v was in ring %d", w, i, one, at)
				}
			}
			where[w], used[i] = i, true
			if round := binary.BigEndian.Uint32(f.Data[len(f.Data)-4:]); round != next[w] {
				t.Fatalf("%v: segment %d, want %d", w, round, next[w])
			}
			next[w]++
		}
	}
	if len(where) != 2*connections || len(used) < 2 {
		t.Errorf("%d directions in %d rings, want %d in several", len(where), len(used), 2*connections)
	}
	if s, err := l.Stats(); err != nil || s != (Stats{Frames: 2 * connections * rounds}) {
		t.Errorf("stats %+v, %v", s, err)
	}
}

// One reader gets all rings, each connection in order.
func TestFanoutReadByOne(t *testing.T) {
	a, b := newNamespace(t), newNamespace(t)
	join(t, a, "a0", b, "b0")
	l := openLive(t, LiveOptions{In: b, Interface: "b0", Fanout: 3, Snap: 200, RingBytes: 8 << 20})
	const connections, rounds = 16, 500
	out := newSender(t, a, "a0")
	go func() {
		talk(t, out, connections, rounds)
		l.Stop()
	}()
	next := map[[2]netip.AddrPort]uint32{}
	frames := rest(t, l)
	if s, err := l.Stats(); err != nil || s != (Stats{Frames: 2 * connections * rounds}) || int(s.Frames) != len(frames) {
		t.Fatalf("%d frames, stats %+v, %v", len(frames), s, err)
	}
	for _, f := range frames {
		from, to, _ := endpoints(int(binary.BigEndian.Uint16(f.Data[12:])), f.Data[14:])
		if round := binary.BigEndian.Uint32(f.Data[len(f.Data)-4:]); round != next[[2]netip.AddrPort{from, to}] {
			t.Fatalf("%v to %v: segment %d, want %d", from, to, round, next[[2]netip.AddrPort{from, to}])
		}
		next[[2]netip.AddrPort{from, to}]++
	}
}

func TestFanoutCountsDrops(t *testing.T) {
	a, b := newNamespace(t), newNamespace(t)
	join(t, a, "a0", b, "b0")
	l := openLive(t, LiveOptions{In: b, Interface: "b0", Fanout: 2, Snap: 200, RingBytes: 2 * smallBlock})
	const connections, rounds = 32, 100
	talk(t, newSender(t, a, "a0"), connections, rounds) // 1 MB into 256 KiB that nobody empties
	l.Stop()
	got := len(rest(t, l))
	s, err := l.Stats()
	must(t, err)
	if int(s.Frames) != got || s.Frames+s.Dropped != 2*connections*rounds || s.Dropped == 0 || s.Frames == 0 || s.Full == 0 {
		t.Errorf("sent %d frames, got %d: %+v", 2*connections*rounds, got, s)
	}
}
