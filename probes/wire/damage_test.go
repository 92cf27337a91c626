package wire_test

import (
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"virtscope/probes/capture"
	"virtscope/probes/capture/file"
	"virtscope/probes/capture/packet"
	"virtscope/probes/wire"
	"virtscope/results"
)

// A damage says which of the TCP frames of a capture are given, and how much of them. N counts all of them.
type damage struct {
	name string
	keep func(i, n int) bool
	snap int  // B of a frame; 0: all
	stop bool // those between the guest's stop and its start are lost
}

func damages() []damage {
	random := rand.New(rand.NewPCG(1, 2))
	return []damage{
		{name: "from the middle", keep: func(i, n int) bool { return i > n/2 }},
		{name: "from the end", keep: func(i, n int) bool { return i > n*98/100 }},
		{name: "to the middle", keep: func(i, n int) bool { return i < n/2 }},
		{name: "to the stop", keep: func(i, n int) bool { return i < n*95/100 }},
		{name: "first payload lost", keep: func(i, _ int) bool { return i != 3 }},
		{name: "one in a hundred lost", keep: func(int, int) bool { return random.IntN(100) > 0 }},
		{name: "a burst lost", keep: func(i, n int) bool { return i < n/2 || i > n*11/20 }},
		{name: "the tail's burst lost", keep: func(i, n int) bool { return i < n*97/100 || i > n*98/100 }},
		{name: "the stop lost", keep: func(int, int) bool { return true }, stop: true},
		{name: "snap length 256", keep: func(int, int) bool { return true }, snap: 256},
	}
}

// TestDamagedCaptures wants that nothing is told of a damaged capture of a real migration that is not so: counts are
// lower bounds and say it, and bounds hold QEMU's own events.
func TestDamagedCaptures(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"precopy-dirty", "postcopy", "multifd2", "xbzrle"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var q truth
			data, err := os.ReadFile("testdata/" + name + ".json")
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(data, &q); err != nil {
				t.Fatal(err)
			}
			list := damages()
			if testing.Short() {
				list = list[len(list)-3:] // under the race detector each takes seconds, and is decoded in the same way
			}
			for _, d := range list {
				t.Run(d.name, func(t *testing.T) {
					f := decodeDamaged(t, q, "testdata/"+name+".pcapng.zst", d)
					checkBelow(t, q, f)
					checkHolds(t, q, f)
				})
			}
		})
	}
}

// decodeDamaged reads a capture with frames of TCP left out; those of guests are all given.
func decodeDamaged(t *testing.T, q truth, path string, d damage) *found {
	t.Helper()
	n := 0
	eachFrame(t, path, func(_ capture.Frame, tcp bool) {
		if tcp {
			n++
		}
	})
	var out found
	s := wire.New(wire.Config{}, &out)
	i := 0
	eachFrame(t, path, func(f capture.Frame, tcp bool) {
		if tcp {
			i++
			lost := d.stop && f.Time > q.Stop*1000+ms/2 && f.Time < q.Resume*1000
			if lost || !d.keep(i-1, n) {
				return
			}
		}
		if d.snap > 0 {
			f.Data = f.Data[:min(len(f.Data), d.snap)]
		}
		s.Frame(0, f)
	})
	s.End()
	return &out
}

func eachFrame(t *testing.T, path string, give func(f capture.Frame, tcp bool)) {
	t.Helper()
	src, err := file.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var p packet.Packet
	for {
		f, err := src.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		give(f, p.Decode(f.Link, f.Data, f.Length) == nil && p.Kind == packet.TCP)
	}
}

// checkBelow wants counts that QEMU's do not fall below, and that those which do not reach them say so.
func checkBelow(t *testing.T, q truth, f *found) {
	t.Helper()
	if _, n := f.sum(results.WireMigration); n != 1 {
		t.Errorf("%d migrations", n)
	}
	for _, c := range []struct {
		truth float64
		kinds []string
	}{{q.Normal, []string{results.PageNormal, results.PageMultifd}}, {q.Zero, []string{results.PageZero}}} {
		sum, exact := 0.0, true
		for _, r := range f.records {
			for _, kind := range c.kinds {
				if r.Name == results.WirePages && r.Attrs["kind"] == kind {
					sum += r.Value
					exact = exact && r.Attrs["atleast"] == ""
				}
			}
		}
		if sum > c.truth || exact && sum > 0 && sum != c.truth {
			t.Errorf("%v pages of %v, exact: %v; QEMU counts %v", sum, c.kinds, exact, c.truth)
		}
	}
	if syncs, _ := f.sum(results.WireSyncs); syncs > q.Syncs {
		t.Errorf("%v synchronisations are proved, QEMU made %v", syncs, q.Syncs)
	}
}

// checkHolds wants the guest's stop and start within their bounds, where they are told.
func checkHolds(t *testing.T, q truth, f *found) {
	t.Helper()
	edges := map[string]int64{results.StageStopCopy: q.Stop * 1000, results.StageRunning: q.Resume * 1000}
	for _, r := range f.records {
		want, ok := edges[r.Attrs["stage"]]
		if r.Name != results.WireStage || !ok {
			continue
		}
		low, high := r.Time, r.Time
		if v, err := strconv.ParseInt(r.Attrs["earliest"], 10, 64); err == nil {
			low = v
		}
		if v, err := strconv.ParseInt(r.Attrs["latest"], 10, 64); err == nil {
			high = v
		}
		if want+ms < low || want-ms > high {
			t.Errorf("%s: QEMU's is %.3f ms before the bounds begin, %.3f ms behind their end",
				r.Attrs["stage"], float64(low-want)/ms, float64(want-high)/ms)
		}
	}
}
