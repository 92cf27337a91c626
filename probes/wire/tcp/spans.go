package tcp

import (
	"cmp"
	"slices"
)

// maxSpans bounds a set of spans: 1,024 holes are more than a window of 1 MiB has segments.
const maxSpans = 1024

// A span is the offsets from lo up to, but not including, hi.
type span struct{ lo, hi int64 }

// A spans is a set of offsets: sorted, disjoint spans that do not touch. When there are too many, the lowest hole is
// taken for seen.
type spans []span

// top is the end of the highest span, and 0 of none.
func (s spans) top() int64 {
	if len(s) == 0 {
		return 0
	}
	return s[len(s)-1].hi
}

// add adds a span and returns how many of its offsets were not in the set.
func (s *spans) add(lo, hi int64) (fresh int64) {
	if n := len(*s); n > 0 && (*s)[n-1].hi == lo {
		(*s)[n-1].hi = hi
		return hi - lo
	}
	return s.insert(lo, hi)
}

func (s *spans) insert(lo, hi int64) (fresh int64) {
	fresh = hi - lo
	if fresh <= 0 {
		return 0
	}
	i, _ := slices.BinarySearchFunc(*s, lo, func(x span, lo int64) int { return cmp.Compare(x.hi, lo) })
	j, merged := i, span{lo, hi}
	for ; j < len(*s) && (*s)[j].lo <= hi; j++ {
		x := (*s)[j]
		fresh -= max(0, min(hi, x.hi)-max(lo, x.lo))
		merged.lo, merged.hi = min(merged.lo, x.lo), max(merged.hi, x.hi)
	}
	*s = slices.Replace(*s, i, j, merged)
	if len(*s) > maxSpans {
		(*s)[1].lo = (*s)[0].lo
		*s = slices.Delete(*s, 0, 1)
	}
	return fresh
}
