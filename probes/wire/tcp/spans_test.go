package tcp

import (
	"math/rand/v2"
	"testing"
)

func TestSpans(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var s spans
		seen := map[int64]bool{}
		for range 100 {
			lo := r.Int64N(300) - 20
			hi := lo + r.Int64N(20)
			var want int64
			for i := lo; i < hi; i++ {
				if !seen[i] {
					want++
				}
				seen[i] = true
			}
			if got := s.add(lo, hi); got != want {
				t.Fatalf("add %d to %d: %d fresh, want %d: %v", lo, hi, got, want, s)
			}
			for i := 1; i < len(s); i++ {
				if s[i-1].hi >= s[i].lo {
					t.Fatalf("spans touch or are out of order: %v", s)
				}
			}
		}
	}
}

func TestSpansAreBounded(t *testing.T) {
	var s spans
	for i := range int64(3 * maxSpans) {
		s.add(2*i, 2*i+1)
	}
	if len(s) != maxSpans || s.top() != 6*maxSpans-1 || s[0].lo != 0 {
		t.Fatalf("%d spans from %d to %d", len(s), s[0].lo, s.top())
	}
	if got := s.add(2*maxSpans+1, 2*maxSpans+2); got != 0 {
		t.Error("the lowest hole was not taken for seen")
	}
}

func TestPool(t *testing.T) {
	p := NewPool(10 * smallest)
	a, b := p.get(1448), p.get(4*smallest)
	if len(a) != smallest || len(b) != 4*smallest {
		t.Fatalf("got blocks of %d and %d B", len(a), len(b))
	}
	if p.get(5*smallest) != nil || p.get(smallest<<classes) != nil {
		t.Error("lent more than there is")
	}
	p.put(b)
	if c := p.get(3 * smallest); &c[0] != &b[0] {
		t.Error("a free block was not lent again")
	}
	p.put(b)
	p.put(a)
	if p.get(8*smallest) == nil { // drops b
		t.Error("free blocks were kept in place of another size")
	}
	if p.made > 10*smallest {
		t.Errorf("holds %d B", p.made)
	}
}
