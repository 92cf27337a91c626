package file

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"slices"
	"testing"
	"virtscope/probes/capture"
	"virtscope/probes/capture/packet"
)

// A file of several sections numbers interfaces on.
func TestSections(t *testing.T) {
	t.Parallel()
	one, two := load(t, "two.pcapng"), load(t, "merged.pcapng")
	first, want := read(t, one)
	second, frames := read(t, two)
	for i := range frames {
		frames[i].Interface += len(first.Interfaces())
	}
	want = append(want, frames...)
	_, ethernet := read(t, load(t, "ethernet.pcap"))
	third := ngOf(binary.BigEndian, ethernet)
	for i := range ethernet {
		ethernet[i].Interface = len(first.Interfaces()) + len(second.Interfaces())
	}
	f, got := read(t, slices.Concat(one, two, third))
	same(t, got, append(want, ethernet...))
	interfaces := slices.Concat(first.Interfaces(), second.Interfaces(), []Interface{{Name: "eth0", LinkType: 1, Snap: 262144}})
	if !slices.Equal(f.Interfaces(), interfaces) {
		t.Fatalf("interfaces\n%+v, want\n%+v", f.Interfaces(), interfaces)
	}
	if first.Interfaces()[1] != (Interface{Name: "lo", Description: "Loopback", LinkType: 1, Snap: 262144}) {
		t.Fatalf("got %+v", first.Interfaces())
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		resolution byte
		offset     int64
		units      uint64
		want       int64
		bad        bool
	}{
		{6, 0, 1_795_234_238_639_227, 1_795_234_238_639_227_000, false},
		{9, 0, 1_795_234_238_639_227_342, 1_795_234_238_639_227_342, false},
		{0, 0, 1_795_234_238, 1_795_234_238_000_000_000, false},
		{3, -1000, 1_795_234_238_639, 1_795_233_238_639_000_000, false},
		{12, 1_795_234_238, 639_227_342_999, 1_795_234_238_639_227_342, false},
		{28, 5, math.MaxUint64, 5_000_000_001, false},
		{0x80, 0, 7, 7_000_000_000, false},
		{0x80 | 1, 0, 3, 1_500_000_000, false},
		{0x80 | 10, 1_795_234_238, 1536, 1_795_234_239_500_000_000, false},
		{0x80 | 32, 0, 1_795_234_238<<32 | 1<<31 | 1<<30, 1_795_234_238_750_000_000, false},
		{0x80 | 63, 9, 1<<63 | 1<<62, 9_000_000_000 + 1_500_000_000, false},
		{0x80 | 64, 0, 0, 0, true},
		{29, 0, 0, 0, true},
		{6, math.MaxInt64, 0, 0, true},
		{6, math.MinInt64, 0, 0, true},
		{6, 0, math.MaxUint64, 0, true},
		{9, 0, math.MaxInt64, math.MaxInt64, false},
		{9, 1, math.MaxInt64, 0, true},
		{0x80, 0, math.MaxUint64, 0, true},
	} {
		for name, o := range orders {
			offset := o.AppendUint64(nil, uint64(c.offset))
			data := slices.Concat(ngHeader(o), ngPortBlock(o, 1, 0, option{9, []byte{c.resolution}}, option{14, offset}), ngEPB(o, 0, c.units, 0, nil))
			f, err := New(bytes.NewReader(data), "times")
			must(t, err)
			frame, err := f.Next()
			if (err != nil) != c.bad || err == nil && frame.Time != c.want {
				t.Errorf("%s endian, %+v: got %d, %v", name, c, frame.Time, err)
			}
		}
	}
}

// Drops come from the statistics of each interface, the last ones, or else from what the packets say.
func TestDrops(t *testing.T) {
	t.Parallel()
	for name, o := range orders {
		stat := func(id uint32, options ...option) []byte {
			return ngBlock(o, ngStatistics, o.AppendUint64(o.AppendUint32(nil, id), 0), options...)
		}
		n := func(v uint64) []byte { return o.AppendUint64(nil, v) }
		old := o.AppendUint16(o.AppendUint16(nil, 1), 30) // 30 dropped before it
		old = append(append(old, n(0)...), n(0)...)
		unknown := o.AppendUint16(o.AppendUint16(nil, 1), 0xffff)
		unknown = append(append(unknown, n(0)...), n(0)...)
		port := ngPortBlock(o, 1, 0)
		data := slices.Concat(ngHeader(o), port, port,
			ngEPB(o, 0, 1, 7, []byte("abc"), option{1, []byte("?")}, option{4, n(1000)}),
			stat(0, option{4, n(99)}, option{5, n(3)}, option{7, n(4)}),
			ngEPB(o, 1, 1, 3, []byte("abc"), option{4, n(200)}),
			ngBlock(o, ngPacket, old), ngBlock(o, ngPacket, unknown), stat(1, option{4, n(99)}),
			stat(0, option{5, n(5)}, option{7, n(6)}),
		)
		f, frames := read(t, data)
		if s, err := f.Stats(); err != nil || s != (capture.Stats{Frames: 4, Dropped: 5 + 6 + 200 + 30}) {
			t.Errorf("%s endian: %+v, %v", name, s, err)
		}
		if f.CountsDrops() {
			t.Error("interface 1 has no counter")
		}
		if frames[0].Length != 7 || string(frames[0].Data) != "abc" || frames[2].Interface != 1 {
			t.Errorf("got %+v", frames)
		}
		f, _ = read(t, append(data, stat(1, option{5, n(0)}, option{7, n(math.MaxUint64)})...))
		if s, err := f.Stats(); err != nil || s.Dropped != 11 || !f.CountsDrops() {
			t.Errorf("%s endian: %+v, %v, %v", name, s, f.CountsDrops(), err)
		}
	}
	f, _ := read(t, load(t, "two.pcapng"))
	if s, err := f.Stats(); err != nil || s != (capture.Stats{Frames: 20}) || !f.CountsDrops() {
		t.Errorf("dumpcap counts: %+v, %v", s, f.CountsDrops())
	}
	if f, _ := read(t, load(t, "gso.pcap")); f.CountsDrops() {
		t.Error("pcap counts no drops")
	}
}

// A simple packet has no time, and is as long as the first interface let it be.
func TestSimplePackets(t *testing.T) {
	t.Parallel()
	for _, o := range orders {
		simple := func(length uint32, data string) []byte {
			return ngBlock(o, ngSimple, append(o.AppendUint32(nil, length), data...))
		}
		skipped := slices.Concat(ngBlock(o, 4, make([]byte, 40)), ngBlock(o, 0xbad, []byte("custom")), ngBlock(o, 0x40000bad, nil))
		f, frames := read(t, slices.Concat(ngHeader(o), ngPortBlock(o, 113, 6), ngPortBlock(o, 1, 0), skipped,
			simple(3, "abc"), simple(6, "abcdef"), skipped, simple(1000, "abcdef"), simple(5, "abcdexyz")))
		want := []string{"abc", "abcdef", "abcdef", "abcde"}
		for i, length := range []int{3, 6, 1000, 5} {
			g := frames[i]
			if g.Length != length || string(g.Data) != want[i] || g.Time != capture.NoTime || g.Interface != 0 || g.Link != packet.Cooked1 {
				t.Errorf("got %+v", g)
			}
		}
		if len(frames) != 4 || f.Untimed() != 4 {
			t.Errorf("%d frames, %d without time", len(frames), f.Untimed())
		}
	}
}

// A writer may leave the padding out of a block's length.
func TestUnpaddedLength(t *testing.T) {
	t.Parallel()
	o := binary.LittleEndian
	data := slices.Concat(ngHeader(o), ngPortBlock(o, 1, 0), ngEPB(o, 0, 1, 5, []byte("abcde")), ngEPB(o, 0, 2, 1, []byte("z")))
	at := len(ngHeader(o)) + len(ngPortBlock(o, 1, 0))
	total := len(ngEPB(o, 0, 1, 5, []byte("abcde")))
	o.PutUint32(data[at+4:], uint32(total-3))
	o.PutUint32(data[at+total-4:], uint32(total-3))
	_, frames := read(t, data)
	if len(frames) != 2 || string(frames[0].Data) != "abcde" || string(frames[1].Data) != "z" {
		t.Fatalf("got %+v", frames)
	}
}

// Interfaces are known when their first frame comes.
func TestInterfacesGrow(t *testing.T) {
	t.Parallel()
	f, err := Open("testdata/merged.pcapng")
	must(t, err)
	defer f.Close()
	for {
		frame, err := f.Next()
		if err == io.EOF { //nolint:errorlint // it is documented so
			break
		}
		must(t, err)
		if i := f.Interfaces(); frame.Interface >= len(i) || i[frame.Interface].Link != frame.Link {
			t.Fatalf("frame of interface %d, %+v", frame.Interface, i)
		}
	}
	if n := len(f.Interfaces()); n != 3 {
		t.Fatalf("%d interfaces, want 3", n)
	}
}
