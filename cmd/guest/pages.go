package main

import "math"

// A page's content is a function of its region's seed, its index and its generation: how often it was
// rewritten. So a verification needs no copy of the data, and finds a page that is stale, in whole or in
// part, as well as a flipped bit: any two states give sequences that differ in every varying word.
const (
	pageSize   = 4096
	pageWords  = pageSize / 8
	blockWords = 64
)

// filler is the constant part of a page. It is not zero, so that a lost page is not mistaken for it.
const filler = 0x5a5a5a5a5a5a5a5a

type page [pageWords]uint64

// A layout says how many words at the start of each block vary; the rest of the block is filler. The
// varying words are spread over the page so that half a stale page is found at any compressibility.
type layout struct {
	varying int // 1 to blockWords
	delta   int // how many of the page's varying words a rewrite changes; 0 is all
}

// layoutFor returns the layout in which a share c (0–1) of each page is constant. At least one word in
// each block varies: the largest share is 63/64.
func layoutFor(c float64) layout {
	varying := int(math.Round((1 - c) * blockWords))
	return layout{varying: min(max(varying, 1), blockWords)}
}

// withDelta returns the layout in which a rewrite changes so many bytes of a page, rounded up to words, or all that
// varies if that is less.
func (l layout) withDelta(bytes int64) layout {
	all := pageWords / blockWords * l.varying
	l.delta = int((bytes + 7) / 8)
	if bytes <= 0 || l.delta >= all {
		l.delta = 0
	}
	return l
}

// A content is what a page holds: the sequence from state base and, in the varying words from number `from` to before
// number `to`, the one from state patch.
type content struct {
	base, patch uint64
	from, to    int
}

// contentOf is page index's content. A delta lies at the same place of the page in every generation, so that a page
// differs by no more from the one before than from one of long ago.
func (l layout) contentOf(seed uint64, index int, generation uint32) content {
	if l.delta == 0 || generation == 0 {
		return content{base: stateOf(seed, index, generation)}
	}
	first := stateOf(seed, index, 0)
	from := int(mix(first) % uint64(pageWords/blockWords*l.varying-l.delta+1))
	return content{base: first, patch: stateOf(seed, index, generation), from: from, to: from + l.delta}
}

// stateOf is the state before a page's first word. The finalizer is that of splitmix64 (Steele, Lea and
// Flood, OOPSLA 2014).
func stateOf(seed uint64, index int, generation uint32) uint64 {
	return mix(mix(seed^mix(uint64(index)+1)) + uint64(generation))
}

func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// next steps a linear congruential generator modulo 2^64 (Knuth's MMIX constants), and word hides the
// regularity of its low bits. Both are bijective. They cost five instructions a word: the guest may be
// emulated, and must still reach hundreds of MiB/s.
func next(state uint64) uint64 { return state*6364136223846793005 + 1442695040888963407 }
func word(state uint64) uint64 { return state ^ state>>29 }

// write fills p.
func (l layout) write(p *page, c content) {
	state := c.base
	for block := 0; block < pageWords; block += blockWords {
		words := (*[blockWords]uint64)(p[block:])
		for i := range l.varying {
			state = next(state)
			words[i] = word(state)
		}
		for i := l.varying; i < blockWords; i++ {
			words[i] = filler
		}
	}
	l.patch(p, c)
}

// patch writes the words in which c differs from its base.
func (l layout) patch(p *page, c content) {
	state := c.patch
	for n := c.from; n < c.to; n++ {
		state = next(state)
		p[n/l.varying*blockWords+n%l.varying] = word(state)
	}
}

// wrong counts the words of p that are not what write stores, and returns the first and last of them.
func (l layout) wrong(p *page, c content) (n, first, last int) {
	base, patch := c.base, c.patch
	number := 0 // of the varying word
	for i := range p {
		want := uint64(filler)
		if i%blockWords < l.varying {
			base = next(base)
			want = word(base)
			if c.from <= number && number < c.to {
				patch = next(patch)
				want = word(patch)
			}
			number++
		}
		if p[i] == want {
			continue
		}
		if n == 0 {
			first = i
		}
		n++
		last = i
	}
	return n, first, last
}
