package dataset

import (
	"cmp"
	"fmt"
	"slices"
	"virtscope/results"
)

// Merge puts the trials of several runs of one experiment together, the first of which gives name and manifest. A trial is told from
// its like in another run by its run's name; so is a block, as a day is not another. With whole, each run is a block of its own, called by its
// place: to be compared with the run of the other side that has the same place.
func Merge(sets []Set, whole bool) Set {
	out := sets[0]
	out.Manifest.Factors = slices.Clone(out.Manifest.Factors)
	out.Trials, out.Problems, out.Planned = nil, nil, 0
	order := 0
	for i, s := range sets {
		last, run := order, cmp.Or(s.Manifest.Run, s.Name) // both sides of one run have its blocks in common
		for _, t := range s.Trials {
			t.ID = run + "/" + t.ID
			switch {
			case whole:
				t.Block = fmt.Sprintf("run %d", i+1)
			case t.Block != "":
				t.Block = run + "/" + t.Block
			}
			t.Order += last
			order = max(order, t.Order)
			out.Trials = append(out.Trials, t)
		}
		for _, p := range s.Problems {
			out.Problems = append(out.Problems, s.Name+": "+p)
		}
		out.Planned += s.Planned
		for _, f := range s.Manifest.Factors {
			out.addLevels(f)
		}
	}
	return out
}

// addLevels adds the levels that the set does not have.
func (s *Set) addLevels(f results.Factor) {
	i := slices.IndexFunc(s.Manifest.Factors, func(have results.Factor) bool { return have.Path == f.Path })
	if i < 0 {
		s.Manifest.Factors = append(s.Manifest.Factors, f)
		return
	}
	have := &s.Manifest.Factors[i]
	have.Levels = slices.Clone(have.Levels)
	for _, l := range f.Levels {
		if !slices.Contains(have.Levels, l) {
			have.Levels = append(have.Levels, l)
		}
	}
}
