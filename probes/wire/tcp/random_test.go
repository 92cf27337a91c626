package tcp

import (
	"bytes"
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// An arrival is a packet with the place at which it is captured.
type arrival struct {
	pkt
	place int
}

// A story is a stream and what of it was captured.
type story struct {
	content  []byte
	captured []bool // by byte
	arrivals []arrival
}

// newStory cuts a random stream into segments and shuffles them by up to 30 places, sends some twice, lets some overlap, has some
// at a second vantage, and loses some for the capture. Acknowledgements say that all came to the receiver.
func newStory(r *rand.Rand) story {
	n := 1 + r.IntN(200_000)
	s := story{content: make([]byte, n), captured: make([]bool, n)}
	for i := range s.content {
		s.content[i] = byte(r.Uint32())
	}
	isn := uint32(1<<32 - r.IntN(2*n) - 1)
	if r.IntN(4) == 0 {
		isn = r.Uint32()
	}
	first, place := isn+1, 100
	add := func(lo, hi int) {
		for i := lo; i < hi; i++ {
			s.captured[i] = true
		}
		s.arrivals = append(s.arrivals, arrival{pkt{seq: first + uint32(lo), ack: 1000, data: string(s.content[lo:hi]), vantage: r.IntN(2)}, place + r.IntN(30)})
	}
	s.arrivals = append(s.arrivals, arrival{pkt{flags: syn, seq: isn}, 0})
	for lo := 0; lo < n; place++ {
		hi := min(n, lo+1+r.IntN(3000))
		if r.IntN(10) > 0 {
			add(lo, hi)
		}
		switch r.IntN(12) {
		case 0:
			add(lo, hi)
		case 1:
			add(max(0, lo-r.IntN(5000)), min(n, hi+r.IntN(5000)))
		case 2:
			add(lo+r.IntN(hi-lo), hi)
		}
		lo = hi
		s.arrivals = append(s.arrivals, arrival{pkt{dir: Reverse, seq: 1000, ack: first + uint32(lo)}, place + r.IntN(30)})
	}
	s.arrivals = append(s.arrivals, arrival{pkt{flags: fin, seq: first + uint32(n), ack: 1000}, place + 30})
	slices.SortStableFunc(s.arrivals, func(a, b arrival) int { return cmp.Compare(a.place, b.place) })
	return s
}

// holes are the runs of bytes that were not captured.
func (s story) holes() (h []hole) {
	for i := range s.content {
		if s.captured[i] {
			continue
		}
		if k := len(h); k > 0 && h[k-1].offset+h[k-1].n == int64(i) {
			h[k-1].n++
			continue
		}
		h = append(h, hole{int64(i), 1})
	}
	return h
}

// Each captured byte is given once, in order, and gaps are where no byte was captured.
func TestRandomStreams(t *testing.T) {
	for seed := range uint64(150) {
		s := newStory(rand.New(rand.NewPCG(seed, 3)))
		w := newWire(t, Options{})
		w.got[0].keep = true
		for _, a := range s.arrivals {
			w.send(t, a.pkt)
			w.now -= 8e5 // 0.2 ms from packet to packet: none comes later than the margin
		}
		w.finish()
		want := bytes.Clone(s.content)
		for _, h := range s.holes() {
			clear(want[h.offset : h.offset+h.n])
		}
		if !bytes.Equal(w.got[0].content, want) {
			t.Errorf("seed %d: wrong content", seed)
		}
		if diff := gocmp.Diff(s.holes(), w.got[0].gaps, gocmp.AllowUnexported(hole{})); diff != "" {
			t.Errorf("seed %d: gaps (-want +got):\n%s", seed, diff)
		}
		st := w.Stats(Forward)
		if st.Late != 0 || st.Foreign != 0 || st.AfterEnd != 0 || st.Bytes+st.Missing != int64(len(want)) || !st.FIN {
			t.Errorf("seed %d: %+v for %d B", seed, st, len(want))
		}
		if t.Failed() {
			return
		}
	}
}
