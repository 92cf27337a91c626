package plan

import (
	"slices"
	"virtscope/experiments/spec"
)

// blockBy is what trials are blocked by. Builds are compared within a replicate.
func blockBy(e *spec.Experiment) string {
	if len(e.Builds) > 0 {
		return "replicate"
	}
	return e.Order.BlockBy
}

// together groups the trials of a block that are to run one after the other: the builds of a replicate of a treatment, which stand
// next to each other as they vary fastest. Every second replicate runs them backwards, so that a steady drift of the machine falls on all
// alike (A B B A). Without builds each trial is on its own.
func together(e *spec.Experiment, block []replicate) [][]replicate {
	var groups [][]replicate
	for i, r := range block {
		if i > 0 && len(e.Builds) > 0 && sameButBuild(block[i-1], r) {
			groups[len(groups)-1] = append(groups[len(groups)-1], r)
			continue
		}
		groups = append(groups, []replicate{r})
	}
	for _, g := range groups {
		if g[0].number%2 == 0 {
			slices.Reverse(g)
		}
	}
	return groups
}

// sameButBuild reports whether a and b differ in their last level alone, which is the build.
func sameButBuild(a, b replicate) bool {
	n := len(a.levels) - 1
	return a.number == b.number && n == len(b.levels)-1 && slices.Equal(a.levels[:n], b.levels[:n])
}
