package stats

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// A block is data that may be compared with each other.
type block struct{ base, head []Datum }

func (b block) size() int { return len(b.base) + len(b.head) }

// An arrangement is two samples as the design sets them against each other: one block of all, pairs, or strata.
type arrangement struct {
	blocks []block
	paired bool   // each block has one of both
	note   string // what was left out
	why    string // why nothing can be compared
}

func arrange(base, head Sample, blocked bool) arrangement {
	b, h := known(base), known(head)
	note := ""
	if n := base.Len() - len(b) + head.Len() - len(h); n > 0 {
		note = fmt.Sprintf("left out: %d trials whose value is not known", n)
	}
	if !blocked || oneBlock(append(slices.Clone(b), h...)) {
		return arrangement{blocks: []block{{b, h}}, note: note}.check()
	}
	return inBlocks(b, h, note).check()
}

func inBlocks(base, head []Datum, note string) arrangement {
	byName := map[string]*block{}
	var names []string
	at := func(name string) *block {
		if byName[name] == nil {
			byName[name] = &block{}
			names = append(names, name)
		}
		return byName[name]
	}
	for _, d := range base {
		b := at(d.Block)
		b.base = append(b.base, d)
	}
	for _, d := range head {
		b := at(d.Block)
		b.head = append(b.head, d)
	}
	slices.Sort(names)
	a := arrangement{paired: true, note: note}
	alone := 0
	for _, name := range names {
		b := *byName[name]
		if len(b.base) == 0 || len(b.head) == 0 {
			alone += b.size()
			continue
		}
		a.blocks = append(a.blocks, b)
		a.paired = a.paired && b.size() == 2
	}
	if alone > 0 {
		a.note = join(a.note, fmt.Sprintf("left out: %d trials of blocks without any of the other side", alone))
	}
	if len(a.blocks) == 0 {
		a.paired, a.why = false, "no block holds a known value of both sides"
	}
	return a
}

func (a arrangement) check() arrangement {
	if a.why != "" {
		a.why = join(a.why, a.note)
		return a
	}
	base, head := a.count()
	if base < 2 || head < 2 {
		a.why = join(fmt.Sprintf("n = %d and %d: both sides need 2 known values", base, head), a.note)
		if a.paired {
			a.why = join(fmt.Sprintf("n = %d pairs: 2 are needed", base), a.note)
		}
	}
	return a
}

func (a arrangement) count() (base, head int) {
	for _, b := range a.blocks {
		base, head = base+len(b.base), head+len(b.head)
	}
	return base, head
}

func (a arrangement) censored() bool {
	for _, b := range a.blocks {
		if anyCensored(b.base) || anyCensored(b.head) {
			return true
		}
	}
	return false
}

// mapped applies f, which must increase, to each value.
func (a arrangement) mapped(f func(float64) float64) arrangement {
	blocks := make([]block, len(a.blocks))
	each := func(list []Datum) []Datum {
		list = slices.Clone(list)
		for i := range list {
			list[i].Value = f(list[i].Value)
		}
		return list
	}
	for i, b := range a.blocks {
		blocks[i] = block{each(b.base), each(b.head)}
	}
	a.blocks = blocks
	return a
}

// known are the data that are, in an order that does not depend on how they were given, so that resampling does not either.
func known(s Sample) []Datum {
	var list []Datum
	for _, d := range s.data {
		if d.Known {
			list = append(list, d)
		}
	}
	slices.SortFunc(list, func(a, b Datum) int {
		return cmp.Or(cmp.Compare(a.Value, b.Value), cmp.Compare(a.Trial, b.Trial))
	})
	return list
}

func oneBlock(list []Datum) bool {
	for _, d := range list {
		if d.Block != list[0].Block {
			return false
		}
	}
	return true
}

func anyCensored(list []Datum) bool {
	return slices.ContainsFunc(list, func(d Datum) bool { return d.Censored })
}

// high is the upper bound of a known datum.
func (d Datum) high() float64 {
	if d.Censored {
		return math.Inf(1)
	}
	return d.Value
}

// order is 1 if a is above b whatever the truth of censored data, −1 if it is below, and 0 if they tie or nobody can tell. By
// the convention of survival analysis one that is censored at v is above one that is v.
func order(a, b Datum) int {
	switch {
	case a.Censored && b.Censored:
		return 0
	case a.Censored:
		if a.Value >= b.Value {
			return 1
		}
		return 0
	case b.Censored:
		return -order(b, a)
	}
	return cmp.Compare(a.Value, b.Value)
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}
