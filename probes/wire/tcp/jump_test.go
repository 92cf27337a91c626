package tcp

import (
	"strings"
	"testing"
)

// line is n segments of 8 B from seq on.
func line(seq uint32, n int) (p []pkt) {
	for i := range n {
		p = append(p, pkt{seq: seq + uint32(8*i), data: "12345678"})
	}
	return p
}

func join(parts ...[]pkt) (all []pkt) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

var jumpScripts = []script{
	{
		name:    "foreign numbers",
		packets: []pkt{{seq: 100, data: "abc"}, {seq: 1<<30 + 104, data: "?"}, {seq: 1 << 31, data: "?", flags: fin}, {seq: 103, data: "d"}, {seq: 1 << 31, flags: fin}},
		forward: "0 abc #1 / 3 d #4 / cut #5", stats: Stats{Segments: 2, Bytes: 4, Foreign: 3},
	},
	{
		name:    "the same foreign segment again and again",
		packets: join([]pkt{{seq: 100, data: "abc"}}, strings20("?"), []pkt{{seq: 103, data: "d"}}),
		forward: "0 abc #1 / 3 d #22 / cut #22", stats: Stats{Segments: 2, Bytes: 4, Foreign: 20},
	},
	{
		name:    "foreign runs that the stream interrupts",
		packets: join([]pkt{{seq: 100, data: "abc"}}, line(3<<29, 15), []pkt{{seq: 103, data: "d"}}, line(3<<29+15*8, 15)),
		forward: "0 abc #1 / 3 d #17 / cut #32", stats: Stats{Segments: 2, Bytes: 4, Foreign: 30},
	},
	{
		name:    "hole of 2 GiB in the capture",
		packets: join([]pkt{{seq: 100, data: "abc"}, {seq: 108, data: "i"}}, line(1<<31+103, 17)),
		forward: "0 abc #1 / 3 gap 5 #18 / 8 i #2 / 9 gap 2147483762 #18 / 2147483771 12345678 #18 / 2147483779 12345678 #19 / cut #19",
		stats:   Stats{Segments: 4, Bytes: 20, Missing: 5 + 1<<31 + 114, Foreign: 15},
	},
	{
		name:    "hole of less than 1 GiB",
		packets: []pkt{{seq: 100, data: "abc"}, {seq: 103 + 1<<29, data: "x"}, {dir: Reverse, seq: 1, ack: 104 + 1<<29}, {seq: 104 + 1<<29, data: "y", after: 60}},
		forward: "0 abc #1 / 3 gap 536870912 #4 / 536870915 x #2 / 536870916 y #4 / cut #4", stats: Stats{Segments: 3, Bytes: 5, Missing: 1 << 29},
	},
	{
		name:    "one segment far ahead that was acknowledged last",
		packets: []pkt{{seq: 100, data: "abc"}, {seq: 103 + 1<<29, data: "x"}, {dir: Reverse, seq: 1, ack: 104 + 1<<29}},
		forward: "0 abc #1 / 3 gap 536870912 #3 / 536870915 x #2 / cut #3", stats: Stats{Segments: 2, Bytes: 4, Missing: 1 << 29},
	},
	{
		name:    "foreign runs that a waiting segment interrupts",
		packets: join([]pkt{{seq: 100, data: "abc"}}, line(3<<29, 15), []pkt{{seq: 104, data: "e"}}, line(3<<29+15*8, 15), []pkt{{seq: 103, data: "d"}}),
		forward: "0 abc #1 / 3 d #33 / 4 e #17 / cut #33", stats: Stats{Segments: 3, Bytes: 5, Foreign: 30, Reordered: 1},
	},
	{
		name:    "one segment far ahead that nobody acknowledged",
		packets: []pkt{{seq: 100, data: "abc"}, {seq: 103 + 1<<29, data: "?"}, {seq: 103, data: "d"}},
		forward: "0 abc #1 / 3 d #3 / cut #3", stats: Stats{Segments: 3, Bytes: 4, Foreign: 1, Reordered: 1},
	},
}

func strings20(data string) (p []pkt) {
	for range 20 {
		p = append(p, pkt{seq: 1 << 31, data: data})
	}
	return p
}

// A segment with a wrong number must not take the place of the bytes that come there later.
func TestWrongPiece(t *testing.T) {
	block := strings.Repeat("x", 60000)
	for _, wrong := range []uint32{70 << 20, 3 + 1200*60000} { // within a segment, and at the border of two
		w := newWire(t, Options{})
		w.send(t, pkt{seq: 0, data: "abc"})
		w.send(t, pkt{seq: wrong, data: "????"})
		seq := uint32(3)
		for ; seq < wrong+100; seq += uint32(len(block)) {
			w.send(t, pkt{seq: seq, data: block})
		}
		w.finish()
		s := w.Stats(Forward)
		if s.Bytes != int64(seq) || s.Missing != 0 || s.Foreign != 1 {
			t.Errorf("got %+v, want %d B", s, seq)
		}
	}
}

// A hole of nearly 4 GiB looks as if what follows were old.
func TestWrapRun(t *testing.T) {
	for _, c := range []struct {
		name string
		back int64 // ms that the time goes back before the run
		want int64 // B missing
	}{
		{"hole", 0, 1<<32 - 128<<20 + 64<<20}, // the run is in it
		{"appended copy", 1e6, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, Options{})
			w.now = 1e15
			block := strings.Repeat("x", 64<<10)
			send := func(from, to uint32) {
				for seq := from; seq != to; seq += uint32(len(block)) {
					w.send(t, pkt{seq: seq, data: block})
				}
			}
			send(0, 200<<20)
			w.now -= c.back * 1e6
			send(72<<20, 136<<20) // the hole, less 4 GiB
			w.now += c.back * 1e6
			send(136<<20, 137<<20)
			w.finish()
			s := w.Stats(Forward)
			if s.Missing != c.want {
				t.Errorf("got %+v, want %d B missing", s, c.want)
			}
		})
	}
}
