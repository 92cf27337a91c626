package file

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"virtscope/probes/capture"
)

// spread makes n frames at random times, in order.
func spread(r *rand.Rand, n int) []capture.Frame {
	frames := make([]capture.Frame, n)
	for i := range frames {
		data := make([]byte, 1+r.IntN(100))
		binary.LittleEndian.AppendUint32(data[:0], r.Uint32())
		frames[i] = capture.Frame{Data: data, Length: len(data), Time: 1e18 + r.Int64N(1e6)}
	}
	slices.SortFunc(frames, func(a, b capture.Frame) int { return cmp.Compare(a.Time, b.Time) })
	return frames
}

// Merging is sorting by corrected time, and each frame keeps its source.
func TestMerge(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for _, sources := range []int{0, 1, 2, 5} {
		var inputs []Input
		var want []Tagged
		for s := range sources {
			frames := spread(r, r.IntN(2000))
			if s == 1 {
				frames = nil
			}
			correction := r.Int64N(2e6) - 1e6
			for _, f := range frames {
				f.Time += correction
				want = append(want, Tagged{f, s})
			}
			f, err := New(bytes.NewReader(pcapOf(binary.LittleEndian, pcapMagicNano, 1, append(frames, capture.Frame{})[:max(len(frames), 1)])), "x")
			if len(frames) == 0 {
				f, err = New(bytes.NewReader(pcapOf(binary.LittleEndian, pcapMagicNano, 1, make([]capture.Frame, 1))[:pcapHead]), "x")
			}
			must(t, err)
			inputs = append(inputs, Input{f, correction})
		}
		slices.SortStableFunc(want, func(a, b Tagged) int { return cmp.Compare(a.Time, b.Time) })
		m := Merge(inputs...)
		for i, w := range want {
			g, err := m.Next()
			must(t, err)
			if g.Source != w.Source || g.Time != w.Time || !bytes.Equal(g.Data, w.Data) {
				t.Fatalf("frame %d is %+v, want %+v", i, g, w)
			}
		}
		for range 2 {
			if _, err := m.Next(); !errors.Is(err, io.EOF) {
				t.Fatalf("got %v, want io.EOF", err)
			}
		}
		must(t, m.Close())
	}
}

// An error of one source does not keep the frames of the others.
func TestMergeWithDamage(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	good, bad := spread(r, 500), spread(r, 500)
	data := pcapOf(binary.LittleEndian, pcapMagicNano, 1, bad)
	at := pcapHead
	for _, f := range bad[:200] {
		at += pcapRecord + len(f.Data)
	}
	binary.LittleEndian.PutUint32(data[at+8:], math.MaxUint32)
	a, err := New(bytes.NewReader(pcapOf(binary.LittleEndian, pcapMagicNano, 1, good)), "good")
	must(t, err)
	b, err := New(bytes.NewReader(data), "bad")
	must(t, err)
	m := Merge(Input{Source: a}, Input{Source: b})
	var got [2]int
	damaged := 0
	for {
		f, err := m.Next()
		var damage *DamageError
		switch {
		case errors.Is(err, io.EOF):
			if got != [2]int{500, 200} || damaged != 1 {
				t.Fatalf("got %d frames and %d errors", got, damaged)
			}
			if s, err := m.Stats(1); err != nil || s.Frames != 200 {
				t.Fatalf("%+v, %v", s, err)
			}
			return
		case errors.As(err, &damage):
			damaged++
			if !strings.Contains(err.Error(), "input 2") || damage.Packet != 201 {
				t.Fatal(err)
			}
		case err != nil:
			t.Fatal(err)
		default:
			got[f.Source]++
		}
	}
}

func TestShift(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]int64{
		{5, 3, 8}, {5, -9, -4}, {math.MaxInt64 - 1, 5, math.MaxInt64}, {math.MinInt64 + 2, -5, math.MinInt64 + 1},
	} {
		if got := shift(c[0], c[1]); got != c[2] {
			t.Errorf("%d%+d is %d, want %d", c[0], c[1], got, c[2])
		}
	}
}
