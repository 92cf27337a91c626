package capture

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// open opens a ring on an interface of n.
func open(tb testing.TB, n namespace, name string, size, snap int, exclude ...string) (*ring, int) {
	tb.Helper()
	var r *ring
	var l layout
	must(tb, n.Do(func() (err error) {
		if l, err = survey(Config{Interface: name, Exclude: exclude}); err != nil {
			return err
		}
		r, err = openRing(l.index, size, snap, filter(snap, l.excluded))
		return err
	}))
	tb.Cleanup(func() { must(tb, r.Close()) })
	return r, l.index
}

// numbered is a frame of an experimental protocol (IEEE 802, 0x88b5) with a number in it.
func numbered(length, number int) []byte {
	f := make([]byte, length)
	copy(f, broadcast)
	copy(f[6:], guestMAC)
	binary.BigEndian.PutUint16(f[12:], 0x88b5)
	binary.BigEndian.PutUint32(f[14:], uint32(number))
	return f
}

func TestRingSeesEveryFrameOnce(t *testing.T) {
	a, b := newNamespace(t), newNamespace(t)
	join(t, a, "a0", b, "b0")
	r, index := open(t, b, "b0", 8<<20, 64)
	out, back := newSender(t, a, "a0"), newSender(t, b, "b0")

	const n = 20_000
	before := time.Now().UnixNano()
	go func() {
		defer r.stop()
		for i := range n {
			out.send(t, numbered(60+i%1400, i))
			back.send(t, numbered(60, i)) // goes out of b0: not to be seen
		}
	}()
	last := before
	for i := range n {
		f, err := r.Next()
		if err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		if got := int(binary.BigEndian.Uint32(f.Data[14:])); got != i {
			t.Fatalf("frame %d has number %d", i, got)
		}
		if f.Length != 60+i%1400 || len(f.Data) != min(64, f.Length) || f.Interface != index {
			t.Fatalf("frame %d: length %d, captured %d, interface %d", i, f.Length, len(f.Data), f.Interface)
		}
		if f.Time < last {
			t.Fatalf("frame %d is %d ns before the one before it", i, last-f.Time)
		}
		last = f.Time
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Fatalf("after the last frame: %v, want io.EOF", err)
	}
	if after := time.Now().UnixNano(); last > after {
		t.Fatalf("last frame is stamped %d ns after now", last-after)
	}
	s, err := r.Stats()
	must(t, err)
	if s != (Stats{Frames: n}) {
		t.Fatalf("stats %+v, want %d frames and no drops", s, n)
	}
}

func TestRingCountsDrops(t *testing.T) {
	a, b := newNamespace(t), newNamespace(t)
	join(t, a, "a0", b, "b0")
	r, _ := open(t, b, "", 2*smallBlock, 2000)
	out := newSender(t, a, "a0")
	const n = 6000 // 8.4 MB into a ring of 2 MiB that nobody empties
	for i := range n {
		out.send(t, numbered(1400, i))
	}
	r.stop()
	for {
		if _, err := r.Next(); err != nil {
			if !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			break
		}
	}
	s, err := r.Stats()
	must(t, err)
	if s.Frames+s.Dropped != n || s.Dropped == 0 || s.Frames == 0 {
		t.Fatalf("sent %d frames, got %d and %d dropped", n, s.Frames, s.Dropped)
	}
}

func TestRingExcludes(t *testing.T) {
	a, b := newNamespace(t), newNamespace(t)
	join(t, a, "a0", b, "b0")
	join(t, a, "a1", b, "b1")
	r, _ := open(t, b, "", 2*smallBlock, 64, "b1")
	wanted, unwanted := newSender(t, a, "a0"), newSender(t, a, "a1")
	for i := range 10 {
		unwanted.send(t, numbered(60, 1000+i))
		wanted.send(t, numbered(60, i))
	}
	r.stop()
	for i := range 10 {
		f, err := r.Next()
		must(t, err)
		if got := int(binary.BigEndian.Uint32(f.Data[14:])); got != i {
			t.Fatalf("frame %d has number %d", i, got)
		}
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Fatalf("got %v, want io.EOF", err)
	}
}

// Frames that wait when stop is called are given, even if their block is not full.
func TestRingGivesWhatArrivedBeforeStop(t *testing.T) {
	a, b := newNamespace(t), newNamespace(t)
	join(t, a, "a0", b, "b0")
	for range 20 {
		r, _ := open(t, b, "b0", 2*smallBlock, 64)
		out := newSender(t, a, "a0")
		out.send(t, numbered(60, 0))
		r.stop()
		if _, err := r.Next(); err != nil {
			t.Fatalf("the frame before stop: %v", err)
		}
		if _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Fatalf("got %v, want io.EOF", err)
		}
	}
}

func TestRingOfMissingOrDownInterface(t *testing.T) {
	a, b := newNamespace(t), newNamespace(t)
	join(t, a, "a0", b, "b0")
	err := b.Do(func() error {
		_, err := survey(Config{Host: "src", Interface: "nosuch0", Exclude: []string{"br9"}})
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "nosuch0") || !strings.Contains(err.Error(), "br9") || !strings.Contains(err.Error(), "src") {
		t.Fatalf("got %v, want both missing interfaces and the host named", err)
	}
	r, _ := open(t, b, "b0", 2*smallBlock, 64)
	must(t, b.Do(func() error { return down("b0") }))
	if _, err := r.Next(); !errors.Is(err, unix.ENETDOWN) {
		t.Fatalf("after the interface went down: %v", err)
	}
	err = b.Do(func() error {
		i, err := net.InterfaceByName("b0")
		if err != nil {
			return err
		}
		_, err = openRing(i.Index, 2*smallBlock, 64, filter(64, nil))
		return err
	})
	if !errors.Is(err, unix.ENETDOWN) {
		t.Fatalf("open on an interface that is down: %v", err)
	}
}

// BenchmarkRing gives the CPU of seeing a frame; it reports drops, which must be 0 for the figure to mean
// anything.
func BenchmarkRing(b *testing.B) {
	x, y := newNamespace(b), newNamespace(b)
	join(b, x, "a0", y, "b0")
	r, _ := open(b, y, "b0", 32<<20, flowSnap)
	out := newSender(b, x, "a0")
	frame := numbered(1400, 0)
	b.ReportAllocs()
	go func() {
		defer r.stop()
		for range b.N {
			out.send(b, frame)
		}
	}()
	for {
		if _, err := r.Next(); err != nil {
			break
		}
	}
	s, err := r.Stats()
	must(b, err)
	b.ReportMetric(float64(s.Dropped), "drops")
	b.ReportMetric(float64(s.Frames)/b.Elapsed().Seconds(), "frames/s")
}
