package main

import (
	"fmt"
	"strings"
	"virtscope/testbed/guest/agent"
)

// verify checks every word of the regions. Verified counts the pages' bytes; a table of generations that
// does not add up counts as one corrupt page more.
func verify(regions ...*region) agent.Verdict {
	var (
		v       agent.Verdict
		details []string
	)
	for _, r := range regions {
		if r == nil || r.memory == nil {
			continue
		}
		v.Verified += int64(len(r.memory))
		pages, first := r.wrongPages()
		if pages > 0 {
			if v.Corrupt == 0 {
				v.First = int64(first)
			}
			v.Corrupt += pages
			details = append(details, fmt.Sprintf("%s: %d wrong pages; %s", r.name, pages, r.diagnose(first)))
		}
		if sum := r.sum(); sum != r.rewritten {
			v.Corrupt++
			details = append(details, fmt.Sprintf("%s: generations add up to %d after %d writes", r.name, sum, r.rewritten))
		}
	}
	v.Detail = strings.Join(details, "; ")
	if v.Verified == 0 {
		v.Detail = "no memory was reserved or written"
	}
	return v
}

func (r *region) wrongPages() (n int64, first int) {
	for i := range r.pages {
		wrong, _, _ := r.layout.wrong(&r.pages[i], stateOf(r.seed, i, r.generation(i)))
		if wrong == 0 {
			continue
		}
		if n == 0 {
			first = i
		}
		n++
	}
	return n, first
}

func (r *region) sum() uint64 {
	var sum uint64
	for _, g := range r.generations {
		sum += uint64(g)
	}
	return sum
}

// diagnose says what page i holds in place of its content.
func (r *region) diagnose(i int) string {
	const depth = 100 // generations back
	p, now := &r.pages[i], r.generation(i)
	wrong, first, last := r.layout.wrong(p, stateOf(r.seed, i, now))
	for back := uint32(1); back <= min(now, depth); back++ {
		if n, _, _ := r.layout.wrong(p, stateOf(r.seed, i, now-back)); n == 0 {
			return fmt.Sprintf("page %d is stale: it holds generation %d, not %d", i, now-back, now)
		}
	}
	if *p == (page{}) {
		return fmt.Sprintf("page %d is zero", i)
	}
	return fmt.Sprintf("page %d, generation %d: %d of %d words are wrong, words %d to %d", i, now, wrong, pageWords, first, last)
}
