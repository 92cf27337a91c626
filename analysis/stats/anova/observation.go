// Package anova asks which factors, and which of their interactions, explain a metric. The unit is the trial.
package anova

import (
	"fmt"
	"math"
	"slices"
	"virtscope/analysis/quantity"
)

// An Observation is one trial's value of a metric, with the levels that it ran at.
type Observation struct {
	Trial    string            // its id
	Block    string            // "" if the design has none
	Levels   map[string]string // by factor
	Value    float64
	Known    bool // false: the trial has none, and Value is not read
	Censored bool // the truth is at least Value
}

// A factor is a column of levels, in the order in which they first occur.
type factor struct {
	name   string
	levels []string
	at     []int // the level's place, by observation
}

// input is the known observations.
type input struct {
	y       []float64
	factors []factor // of two levels or more
	block   *factor  // nil if there is one block at most
	notes   []string
	why     string // why there is no analysis
}

func read(obs []Observation, names []string) (input, error) {
	in := input{}
	if len(names) == 0 || len(names) > 6 {
		return in, fmt.Errorf("analyse variance: %d factors: name 1 to 6", len(names))
	}
	seen := map[string]bool{}
	for i, f := range names {
		if slices.Contains(names[:i], f) {
			return in, fmt.Errorf("analyse variance: factor %s is named twice", f)
		}
	}
	var list []Observation
	for _, o := range obs {
		switch {
		case o.Trial == "":
			return in, fmt.Errorf("analyse variance: an observation of %v names no trial: the trial is the unit", o.Value)
		case seen[o.Trial]:
			return in, fmt.Errorf("analyse variance: trial %s has two observations: the trial is the unit, give one value of each", o.Trial)
		case o.Known && (math.IsNaN(o.Value) || math.IsInf(o.Value, 0)):
			return in, fmt.Errorf("analyse variance: trial %s: %v is not finite: say that it is not known", o.Trial, o.Value)
		}
		seen[o.Trial] = true
		for _, f := range names {
			if _, ok := o.Levels[f]; !ok {
				return in, fmt.Errorf("analyse variance: trial %s has no level of %s", o.Trial, f)
			}
		}
		if !o.Known {
			continue
		}
		if o.Censored && in.why == "" {
			in.why = fmt.Sprintf("trial %s is censored: its value is at least %s, and a mean of it is not known", o.Trial, quantity.Digits(o.Value, 1, 4, quantity.Down))
		}
		list = append(list, o)
	}
	if n := len(obs) - len(list); n > 0 {
		in.notes = append(in.notes, fmt.Sprintf("left out: %d trials whose value is not known", n))
	}
	in.columns(list, names)
	return in, nil
}

func (in *input) columns(list []Observation, names []string) {
	for _, o := range list {
		in.y = append(in.y, o.Value)
	}
	for _, name := range names {
		f := column(name, list, func(o Observation) string { return o.Levels[name] })
		if len(f.levels) < 2 {
			in.notes = append(in.notes, fmt.Sprintf("left out: factor %s, which has one level", name))
			continue
		}
		in.factors = append(in.factors, f)
	}
	if b := column("block", list, func(o Observation) string { return o.Block }); len(b.levels) > 1 {
		in.block = &b
	}
	if len(in.factors) == 0 && in.why == "" {
		in.why = "no factor has two levels with a known value"
	}
}

func column(name string, list []Observation, level func(Observation) string) factor {
	f := factor{name: name}
	for _, o := range list {
		l := level(o)
		i := slices.Index(f.levels, l)
		if i < 0 {
			i = len(f.levels)
			f.levels = append(f.levels, l)
		}
		f.at = append(f.at, i)
	}
	return f
}
