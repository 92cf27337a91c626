package dataset

import (
	"slices"
	"testing"
	"virtscope/results"
)

// twoBuilds is a run of two replicates of two builds, in blocks.
func twoBuilds(run string, levels ...string) Set {
	s := Set{Name: run, Planned: 4, Manifest: results.Manifest{Run: run, Factors: []results.Factor{{Path: "build", Levels: levels}}}, Problems: []string{"one"}}
	for i, block := range []string{"replicate=1", "replicate=1", "replicate=2", "replicate=2"} {
		level := levels[i%2]
		s.Trials = append(s.Trials, Trial{Readable: true, Verdict: results.Completed, Trial: results.Trial{
			ID: level + block, Order: i + 1, Block: block, Treatment: "build=" + level, Levels: []results.Level{{Factor: "build", Value: level}},
		}})
	}
	return s
}

// Sides of one run that are merged over looks still have its blocks in common, and no others.
func TestMergeKeepsBlocksOfARunTogether(t *testing.T) {
	var sides [2]Set
	for i, level := range []string{"old", "new"} {
		var parts []Set
		for _, run := range []string{"first", "second"} {
			part, err := twoBuilds(run, "old", "new").Level("build", level)
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, part)
		}
		sides[i] = Merge(parts, false)
	}
	blocks := func(s Set) (list []string) {
		for _, t := range s.Trials {
			list = append(list, t.Block)
		}
		return list
	}
	want := []string{"first/replicate=1", "first/replicate=2", "second/replicate=1", "second/replicate=2"}
	for _, s := range sides {
		if got := blocks(s); !slices.Equal(got, want) || !s.Blocked() {
			t.Errorf("%s: %q", s.Name, got)
		}
	}
}

// Whole runs are blocks by their place, orders go on, and levels are joined.
func TestMergeWhole(t *testing.T) {
	first := twoBuilds("first", "old", "new")
	s := Merge([]Set{first, twoBuilds("second", "old", "newer")}, true)
	if len(s.Trials) != 8 || s.Trials[3].Block != "run 1" || s.Trials[4].Block != "run 2" || s.Trials[4].Order != 5 || s.Planned != 8 || len(s.Problems) != 2 {
		t.Errorf("%+v", s)
	}
	if got := s.Manifest.Factors[0].Levels; !slices.Equal(got, []string{"old", "new", "newer"}) {
		t.Errorf("%q", got)
	}
	if got := first.Manifest.Factors[0].Levels; len(got) != 2 {
		t.Errorf("the first run was changed: %q", got)
	}
}
