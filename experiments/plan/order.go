package plan

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"virtscope/experiments/spec"
	"virtscope/results"
)

// stream is the second half of the generator's seed; the experiment gives the first.
const stream = 0

// arrange puts all replicates into the order in which they run. Without a shuffle that is all treatments once,
// then all of them again: a drift of the machine then falls on all treatments alike.
func arrange(e *spec.Experiment) []replicate {
	n := newNamer(e.Varied())
	treatments := e.Treatments()
	var all []replicate
	for number := range e.Replicates {
		for _, levels := range treatments {
			all = append(all, replicate{levels: levels, number: number + 1, block: n.block(blockBy(e), levels, number+1)})
		}
	}
	source := rand.NewPCG(e.Order.Seed, stream)
	var ordered []replicate
	for _, block := range blocks(all) {
		groups := together(e, block)
		if e.Order.Shuffle == nil || *e.Order.Shuffle {
			shuffle(source, groups)
		}
		for _, g := range groups {
			ordered = append(ordered, g...)
		}
	}
	return ordered
}

// block is the name of the block that a trial is in, such as replicate=2.
func (n *namer) block(by string, levels []results.Level, number int) string {
	switch by {
	case "":
		return ""
	case "replicate":
		return fmt.Sprintf("replicate=%d", number)
	}
	for _, l := range levels {
		if l.Factor == by {
			return n.level(l)
		}
	}
	return ""
}

// blocks groups trials of one block, in the order in which the blocks first occur.
func blocks(all []replicate) [][]replicate {
	index := map[string]int{}
	var groups [][]replicate
	for _, r := range all {
		i, ok := index[r.block]
		if !ok {
			i = len(groups)
			index[r.block] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], r)
	}
	return groups
}

// shuffle is Fisher and Yates's. It is written out, over PCG's raw output, because an order must be the same for
// ever: PCG-DXSM is a published algorithm, while how math/rand/v2 draws a bounded number from it is not promised.
func shuffle[T any](source *rand.PCG, s []T) {
	for i := len(s) - 1; i > 0; i-- {
		j := below(source, uint64(i)+1)
		s[i], s[j] = s[j], s[i]
	}
}

// below draws a number under n without bias (D. Lemire, Fast Random Integer Generation in an Interval, 2019,
// algorithm 5). n is at least 1.
func below(source *rand.PCG, n uint64) uint64 {
	hi, lo := bits.Mul64(source.Uint64(), n)
	for threshold := -n % n; lo < threshold; {
		hi, lo = bits.Mul64(source.Uint64(), n)
	}
	return hi
}
