package report

import (
	"fmt"
	"slices"
	"strings"
)

// mostCurves is how many treatments are told apart by colours where no factor was chosen for them.
const mostCurves = 6

// choose takes the factors that are named, and others from the design where none are.
func (c *chart) choose(p Plot, all []axis, treatments int) error {
	var err error
	if c.x, err = named(all, "x", p.X); err != nil {
		return err
	}
	if c.by, err = named(all, "by", p.By); err != nil {
		return err
	}
	if c.by != nil && len(c.by.levels) > len(seriesColors) && p.Kind != "heatmap" && p.Kind != "box" {
		return fmt.Errorf("by: %s has %d levels, of which only %d can be told apart: put it along x, or use a heatmap", c.by.path, len(c.by.levels), len(seriesColors))
	}
	var free []*axis // that vary and are not taken, those of most levels first
	for i, a := range all {
		if len(a.levels) > 1 && (c.x == nil || a.path != c.x.path) && (c.by == nil || a.path != c.by.path) {
			free = append(free, &all[i])
		}
	}
	slices.SortStableFunc(free, func(a, b *axis) int { return len(b.levels) - len(a.levels) })
	take := func(ok func(*axis) bool) *axis {
		i := slices.IndexFunc(free, ok)
		if i < 0 {
			return nil
		}
		a := free[i]
		free = slices.Delete(free, i, i+1)
		return a
	}
	numbers := func(a *axis) bool { return a.values != nil }
	few := func(a *axis) bool { return len(a.levels) <= len(seriesColors) }
	anyOne := func(*axis) bool { return true }
	switch p.Kind {
	case "line":
		if c.x == nil {
			c.x = take(numbers)
		}
		if c.x == nil || c.x.values == nil {
			return fmt.Errorf("a line needs a factor of numbers along x: %s: use box, bars or interaction", factorList(all))
		}
		if c.by == nil {
			c.by = take(few)
		}
	case "bars":
		if c.x == nil {
			c.x = take(anyOne)
		}
		if c.by == nil {
			c.by = take(few)
		}
	case "interaction":
		if c.x == nil {
			if c.x = take(numbers); c.x == nil {
				c.x = take(anyOne)
			}
		}
		if c.by == nil {
			c.by = take(few)
		}
		return c.two(p.Kind, all)
	case "heatmap":
		if c.by == nil {
			c.by = take(anyOne)
		}
		if c.x == nil {
			c.x = take(anyOne)
		}
		return c.two(p.Kind, all)
	case "box":
		if c.by == nil {
			c.by = lastVarying(all, c.x)
		}
	case "ecdf", "drift":
		if c.by == nil && treatments > mostCurves {
			c.by = take(few)
		}
	}
	return nil
}

// two refuses a figure of two factors that has not two.
func (c *chart) two(kind string, all []axis) error {
	if c.x == nil || c.by == nil {
		return fmt.Errorf("a figure of kind %s needs two factors, x and by, of several levels: %s", kind, factorList(all))
	}
	return nil
}

// named is the factor of that path, nil of "".
func named(all []axis, what, path string) (*axis, error) {
	if path == "" {
		return nil, nil
	}
	for i, a := range all {
		if a.path == path || shortName(a.path) == path && shared(all, path) == 1 {
			return &all[i], nil
		}
	}
	return nil, fmt.Errorf("%s: the run has no factor %q: %s", what, path, factorList(all))
}

// shared is how many factors end in a name.
func shared(all []axis, name string) int {
	n := 0
	for _, a := range all {
		if shortName(a.path) == name {
			n++
		}
	}
	return n
}

func lastVarying(all []axis, but *axis) *axis {
	for i := range slices.Backward(all) {
		if len(all[i].levels) > 1 && (but == nil || all[i].path != but.path) {
			return &all[i]
		}
	}
	return nil
}

func factorList(all []axis) string {
	if len(all) == 0 {
		return "this run has no factors"
	}
	var list []string
	for _, a := range all {
		what := fmt.Sprintf("%d levels", len(a.levels))
		if a.values != nil {
			what += ", numbers"
		}
		list = append(list, fmt.Sprintf("%s (%s)", a.path, what))
	}
	return "its factors are " + strings.Join(list, ", ")
}
