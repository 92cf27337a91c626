package dataset

import (
	"fmt"
	"strings"
	"virtscope/results"
)

// Level is the part of a set with one level of a factor, which its treatments then no longer name: two such parts have treatments in
// common. It is an error if the set has no such factor, or no trial of that level ended.
func (s Set) Level(factor, level string) (Set, error) {
	part := s
	part.Name = fmt.Sprintf("%s, %s %s", s.Name, factor, level)
	part.Trials = nil
	known := false
	for _, t := range s.Trials {
		i := indexOf(t.Levels, factor)
		if i < 0 {
			continue
		}
		known = true
		if t.Levels[i].Value != level {
			continue
		}
		t.Levels = append(append([]results.Level{}, t.Levels[:i]...), t.Levels[i+1:]...)
		t.Treatment = treatmentOf(t.Levels)
		part.Trials = append(part.Trials, t)
	}
	switch {
	case !known:
		return part, fmt.Errorf("split %s: no trial has the factor %q: its factors are %s", s.Name, factor, s.factors())
	case len(part.Trials) == 0:
		return part, fmt.Errorf("split %s: no trial of %s %q ended", s.Name, factor, level)
	}
	return part, nil
}

func indexOf(levels []results.Level, factor string) int {
	for i, l := range levels {
		if l.Factor == factor {
			return i
		}
	}
	return -1
}

// treatmentOf names what is left of the levels.
func treatmentOf(levels []results.Level) string {
	var names []string
	for _, l := range levels {
		names = append(names, l.Factor+"="+l.Value)
	}
	return strings.Join(names, ",")
}

func (s Set) factors() string {
	var names []string
	for _, f := range s.Manifest.Factors {
		names = append(names, f.Path)
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// Blocked reports whether every trial that counts is in a block, and there are two blocks or more.
func (s Set) Blocked() bool {
	blocks := map[string]bool{}
	for _, t := range s.Trials {
		if !t.Counted() {
			continue
		}
		if t.Block == "" {
			return false
		}
		blocks[t.Block] = true
	}
	return len(blocks) > 1
}

// Halves deals the trials of each treatment that count out to two sets, by choice of the caller: take says whether the i-th trial of a
// treatment goes to the first.
func (s Set) Halves(take func(treatment string, i, n int) bool) (a, b Set) {
	a, b = s, s
	a.Name, b.Name = s.Name+", one half", s.Name+", the other"
	a.Trials, b.Trials = nil, nil
	for _, t := range s.Treatments() {
		for i, trial := range t.Trials {
			trial.Block = ""
			if take(t.Name, i, len(t.Trials)) {
				a.Trials = append(a.Trials, trial)
			} else {
				b.Trials = append(b.Trials, trial)
			}
		}
	}
	return a, b
}
