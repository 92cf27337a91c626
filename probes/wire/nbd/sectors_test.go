package nbd

import (
	"math/rand/v2"
	"testing"
)

// The set agrees with a slice of booleans, whatever the ranges' alignment.
func TestSectorsAreExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for round := range 30 {
		var s sectors
		naive := make([]bool, 3*chunkSectors)
		for range 200 {
			align := []uint64{1, 8, 128, chunkSectors}[rng.IntN(1+round%4)]
			from := rng.Uint64N(uint64(len(naive))) / align * align
			to := min(uint64(len(naive)), from+(1+rng.Uint64N(1+rng.Uint64N(2*chunkSectors)))/align*align+align)
			add := rng.IntN(3) > 0
			want := int64(0)
			for i := from; i < to; i++ {
				if naive[i] {
					want++
				}
				naive[i] = naive[i] || add
			}
			if had, seen := s.visit(from, to, add); had != want || seen != int64(to-from) {
				t.Fatalf("round %d [%d, %d) %v: had %d of %d, want %d", round, from, to, add, had, seen, want)
			}
		}
		memory := 0
		for _, c := range s.chunks {
			memory += entryMemory + 8*len(c.words)
		}
		if memory != s.memory || s.overflow {
			t.Fatalf("round %d: memory %d, accounted %d, overflow %v", round, memory, s.memory, s.overflow)
		}
	}
}

func TestSectorsAreBounded(t *testing.T) {
	var s sectors
	left := int64(0)
	for i := range uint64(1 << 16) { // 512 B in each 16 MiB of 1 TiB
		_, seen := s.visit(i*chunkSectors+1, i*chunkSectors+2, true)
		left += 1 - seen
	}
	if !s.overflow || left == 0 || s.memory > mostMemory {
		t.Errorf("memory %d, left out %d, overflow %v", s.memory, left, s.overflow)
	}
	if _, seen := s.visit(0, 1<<60, true); seen != 0 {
		t.Errorf("a range of 2^60 was looked at")
	}
}
