package main

import (
	"bytes"
	"compress/flate"
	"strings"
	"testing"
	"unsafe"
	"virtscope/testbed/guest/agent"
)

// worn returns a region of which each page was rewritten a different number of times.
func worn(t *testing.T, pages int, compressibility float64, delta int64) *region {
	t.Helper()
	r, err := newRegion("working set", int64(pages)*pageSize, 42, layoutFor(compressibility).withDelta(delta), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.release)
	for i := range pages {
		for range i%5 + 3 {
			r.rewrite(i)
		}
	}
	return r
}

func TestVerifyFindsCorruption(t *testing.T) {
	const victim = 7
	stale := func(r *region, back uint32, words int) {
		var old page
		r.layout.write(&old, r.content(victim, r.generation(victim)-back))
		copy(r.pages[victim][:words], old[:words])
	}
	tests := []struct {
		name    string
		corrupt func(r *region)
		pages   int64
		detail  string
	}{
		{"nothing", func(*region) {}, 0, ""},
		{"flipped bit", func(r *region) { r.memory[victim*pageSize+1234] ^= 4 }, 1, "1 of 512 words"},
		{"flipped bit in the last byte", func(r *region) { r.memory[victim*pageSize+pageSize-1] ^= 0x80 }, 1, "words 511 to 511"},
		{"stale page", func(r *region) { stale(r, 1, pageWords) }, 1, "holds generation 4, not 5"},
		{"first half is stale", func(r *region) { stale(r, 1, pageWords/2) }, 1, "words 0 to"},
		{"second half is stale", func(r *region) {
			whole := r.pages[victim]
			stale(r, 2, pageWords)
			copy(r.pages[victim][:pageWords/2], whole[:pageWords/2])
		}, 1, "words 256 to"},
		{"one block is stale", func(r *region) { stale(r, 1, blockWords) }, 1, "words 0 to"},
		{"zero page", func(r *region) { clear(r.pages[victim][:]) }, 1, "page 7 is zero"},
		{"another page's content", func(r *region) { r.pages[victim] = r.pages[victim+5] }, 1, "page 7, generation 5"},
		{"two pages swapped", func(r *region) { r.pages[victim], r.pages[victim+5] = r.pages[victim+5], r.pages[victim] }, 2, "2 wrong pages"},
		{"lost page and generation", func(r *region) { stale(r, 1, pageWords); r.generations[victim]-- }, 1, "add up"},
	}
	for _, c := range []float64{0, 0.5, 1} {
		for _, tt := range tests {
			r := worn(t, 16, c, 0)
			tt.corrupt(r)
			v := verify((*region)(nil), r)
			if v.Verified != 16*pageSize || v.Corrupt != tt.pages || !strings.Contains(v.Detail, tt.detail) {
				t.Errorf("compressibility %v, %s: %+v, want %d corrupt and %q", c, tt.name, v, tt.pages, tt.detail)
			}
			if tt.pages > 0 && !strings.Contains(tt.detail, "add up") && v.First != victim {
				t.Errorf("%s: first page is %d, want %d", tt.name, v.First, victim)
			}
			r.release()
		}
	}
}

// A page of which only a part is rewritten is stale in that part alone, and is found all the same.
func TestVerifyFindsCorruptDeltas(t *testing.T) {
	const victim = 7
	for _, c := range []float64{0, 0.5, 1} {
		for _, delta := range []int64{1, 8, 64, 1000} {
			tests := map[string]struct {
				corrupt func(r *region)
				detail  string
			}{
				"nothing":      {func(*region) {}, ""},
				"stale page":   {func(r *region) { r.layout.write(&r.pages[victim], r.content(victim, 4)) }, "holds generation 4, not 5"},
				"first page":   {func(r *region) { r.layout.write(&r.pages[victim], r.content(victim, 0)) }, "holds generation 0, not 5"},
				"flipped bit":  {func(r *region) { r.memory[victim*pageSize+pageSize-1] ^= 1 }, "words 511 to 511"},
				"another page": {func(r *region) { r.pages[victim] = r.pages[victim+5] }, "page 7, generation 5"},
			}
			for name, tt := range tests {
				r := worn(t, 16, c, delta)
				tt.corrupt(r)
				v := verify(r)
				if want := int64(min(1, len(tt.detail))); v.Corrupt != want || !strings.Contains(v.Detail, tt.detail) {
					t.Errorf("compressibility %v, delta %d B, %s: %+v, want %q", c, delta, name, v, tt.detail)
				}
				r.release()
			}
		}
	}
}

// However long ago a page was written before, a rewrite changes as many bytes as were asked, and no others.
func TestDeltaChangesWhatWasAsked(t *testing.T) {
	for _, tt := range []struct {
		c           float64
		delta, want int64
	}{{0, 64, 64}, {0, 1, 8}, {0.5, 256, 256}, {1, 16, 16}, {1, 4096, 64}, {0, 0, 4096}, {0, 4096, 4096}} {
		r := worn(t, 4, tt.c, tt.delta)
		before := r.pages[1]
		for range 10 {
			r.rewrite(1)
			changed := int64(0)
			for i := range before {
				if r.pages[1][i] != before[i] {
					changed += 8
				}
			}
			if changed != tt.want {
				t.Errorf("compressibility %v, delta %d B: %d B changed, want %d", tt.c, tt.delta, changed, tt.want)
			}
		}
		r.release()
	}
}

func TestVerifyStaticRegion(t *testing.T) {
	r, err := newRegion("static region", 3*pageSize-100, 7, layoutFor(0), true)
	if err != nil {
		t.Fatal(err)
	}
	defer r.release()
	if v := verify(r, (*region)(nil)); v != (agent.Verdict{Verified: 3 * pageSize}) {
		t.Errorf("an intact region gives %+v", v)
	}
	r.pages[0][0]++
	if v := verify(r, (*region)(nil)); v.Corrupt != 1 || v.First != 0 {
		t.Errorf("a wrong word gives %+v", v)
	}
	if v := verify((*region)(nil)); v.Verified != 0 || v.Detail == "" {
		t.Errorf("no region gives %+v, want a reason", v)
	}
}

// Contents that differ in seed, page or generation differ in every word that varies.
func TestContentsDiffer(t *testing.T) {
	states := []uint64{stateOf(1, 0, 0), stateOf(1, 0, 1), stateOf(1, 1, 0), stateOf(2, 0, 0), stateOf(1, 1<<31, 0), stateOf(0, 0, 0)}
	l := layoutFor(0)
	for i, a := range states {
		var p page
		l.write(&p, content{base: a})
		for j, b := range states {
			n, _, _ := l.wrong(&p, content{base: b})
			if i == j && n != 0 || i != j && n != pageWords {
				t.Errorf("states %d and %d differ in %d words", i, j, n)
			}
		}
	}
}

func TestCompressibility(t *testing.T) {
	for _, tt := range []struct{ c, low, high float64 }{{0, 0.99, 1.02}, {0.5, 0.45, 0.55}, {0.75, 0.2, 0.3}, {1, 0, 0.06}} {
		var p page
		layoutFor(tt.c).write(&p, content{base: stateOf(9, 9, 9)})
		var buf bytes.Buffer
		w, err := flate.NewWriter(&buf, flate.BestSpeed)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(unsafe.Slice((*byte)(unsafe.Pointer(&p)), pageSize)); err != nil {
			t.Fatal(err)
		}
		w.Close()
		if share := float64(buf.Len()) / pageSize; share < tt.low || share > tt.high {
			t.Errorf("compressibility %v: deflated to %.3f, want %v to %v", tt.c, share, tt.low, tt.high)
		}
	}
}

func TestNewRegionRefuses(t *testing.T) {
	for _, bytes := range []int64{0, -1, 1 << 60} {
		if r, err := newRegion("x", bytes, 0, layoutFor(0), false); err == nil {
			r.release()
			t.Errorf("a region of %d B was made", bytes)
		}
	}
}

// BenchmarkRewrite is the dirty workload's inner loop.
func BenchmarkRewrite(b *testing.B) {
	r, err := newRegion("working set", 32<<20, 1, layoutFor(0), false)
	if err != nil {
		b.Fatal(err)
	}
	defer r.release()
	b.SetBytes(pageSize)
	for i := range b.N {
		r.rewrite(i % len(r.pages))
	}
	if v := verify(r); v.Corrupt > 0 {
		b.Fatalf("%+v", v)
	}
}
