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
type layout struct{ varying int } // 1 to blockWords

// layoutFor returns the layout in which a share c (0–1) of each page is constant. At least one word in
// each block varies: the largest share is 63/64.
func layoutFor(c float64) layout {
	varying := int(math.Round((1 - c) * blockWords))
	return layout{varying: min(max(varying, 1), blockWords)}
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
func (l layout) write(p *page, state uint64) {
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
}

// wrong counts the words of p that are not what write stores, and returns the first and last of them.
func (l layout) wrong(p *page, state uint64) (n, first, last int) {
	for block := 0; block < pageWords; block += blockWords {
		words := (*[blockWords]uint64)(p[block:])
		for i := range words {
			want := uint64(filler)
			if i < l.varying {
				state = next(state)
				want = word(state)
			}
			if words[i] == want {
				continue
			}
			if n == 0 {
				first = block + i
			}
			n++
			last = block + i
		}
	}
	return n, first, last
}
