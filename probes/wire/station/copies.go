package station

import "hash/maphash"

// copyWindow is how long after a frame its copies may pass other ports, in ns. A switch forwards within less; a sender that
// repeats a frame byte for byte (an echo client may) does so at the same port.
const copyWindow = 5e6

// copies tells a frame that enters from the same frame as it is forwarded by the switch, to be seen at other ports.
type copies struct {
	seed maphash.Seed
	ring [512]passing
	next int
	last map[uint64]int // hash → index in ring
}

type passing struct {
	hash uint64
	time int64
	port string
	used bool
}

func newCopies() *copies {
	return &copies{seed: maphash.MakeSeed(), last: map[uint64]int{}}
}

// identity is how much of a frame tells it from others: the headers down to TCP's, and a little payload.
const identity = 96

// forwarded reports whether a frame that passes port now entered at another port just before.
func (c *copies) forwarded(data []byte, length int, port string, now int64) bool {
	var h maphash.Hash
	h.SetSeed(c.seed)
	_, _ = h.Write(data[:min(len(data), identity)]) // never fails
	sum := h.Sum64() ^ uint64(length)*0x9e3779b97f4a7c15
	if i, ok := c.last[sum]; ok {
		p := &c.ring[i]
		if now-p.time <= copyWindow && now >= p.time && p.port != port {
			return true
		}
	}
	old := &c.ring[c.next]
	if old.used && c.last[old.hash] == c.next {
		delete(c.last, old.hash)
	}
	*old = passing{sum, now, port, true}
	c.last[sum] = c.next
	c.next = (c.next + 1) % len(c.ring)
	return false
}
