package main

import (
	"fmt"
	"strings"
	"virtscope/testbed/guest/agent"
)

// A keeper holds what a workload wrote, until the next one starts.
type keeper interface {
	// verify adds what it holds to the findings.
	verify(f *findings)
	// release frees it, and is idempotent.
	release()
}

// findings become a verdict.
type findings struct {
	verdict agent.Verdict
	details []string
}

// checked counts bytes of memory that were looked at.
func (f *findings) checked(bytes int64) { f.verdict.Verified += bytes }

// corrupt counts wrong pages of memory, the first of which has that index in what it belongs to.
func (f *findings) corrupt(pages, first int64, format string, args ...any) {
	if f.verdict.Corrupt == 0 {
		f.verdict.First = first
	}
	f.verdict.Corrupt += pages
	f.note(format, args...)
}

// disk counts bytes of the disk that were read back, and the wrong pages among them.
func (f *findings) disk(bytes, wrong int64) {
	f.verdict.DiskVerified += bytes
	f.verdict.DiskCorrupt += wrong
}

func (f *findings) note(format string, args ...any) {
	f.details = append(f.details, fmt.Sprintf(format, args...))
}

// verify checks every byte that the keepers hold.
func verify(all ...keeper) agent.Verdict {
	var f findings
	for _, k := range all {
		k.verify(&f)
	}
	if f.verdict.Verified == 0 {
		f.note("no memory was reserved or written")
	}
	f.verdict.Detail = strings.Join(f.details, "; ")
	return f.verdict
}

// verify checks every word. A table of generations that does not add up counts as one corrupt page more.
func (r *region) verify(f *findings) {
	if r == nil || r.memory == nil {
		return
	}
	f.checked(int64(len(r.memory)))
	if pages, first := r.wrongPages(); pages > 0 {
		f.corrupt(pages, int64(first), "%s: %d wrong pages; %s", r.name, pages, r.diagnose(first))
	}
	if sum := r.sum(); sum != r.rewritten {
		f.corrupt(1, 0, "%s: generations add up to %d after %d writes", r.name, sum, r.rewritten)
	}
}

func (r *region) wrongPages() (n int64, first int) {
	for i := range r.pages {
		wrong, _, _ := r.layout.wrong(&r.pages[i], r.content(i, r.generation(i)))
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
	wrong, first, last := r.layout.wrong(p, r.content(i, now))
	for back := uint32(1); back <= min(now, depth); back++ {
		if n, _, _ := r.layout.wrong(p, r.content(i, now-back)); n == 0 {
			return fmt.Sprintf("page %d is stale: it holds generation %d, not %d", i, now-back, now)
		}
	}
	if *p == (page{}) {
		return fmt.Sprintf("page %d is zero", i)
	}
	return fmt.Sprintf("page %d, generation %d: %d of %d words are wrong, words %d to %d", i, now, wrong, pageWords, first, last)
}
