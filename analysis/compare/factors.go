package compare

import (
	"math"
	"slices"
	"strings"
	"virtscope/analysis/dataset"
	"virtscope/analysis/stats"
	"virtscope/results"
)

// A Main is what one level of a factor does against the factor's first, over all levels of the other factors.
type Main struct {
	Factor, Base, Level string
	Balanced            bool // as many trials of both sides count at each combination of other levels: medians over all are of the same
	Row                      // base and head are the trials of Base and of Level
}

// Factors says what each level of each factor does: its main effects. A trial is compared only with trials whose other levels are the
// same (and with those of its own block, where the block has both), so that no other factor can feign an effect; where factors interact, an
// effect is that over the levels that the other factors happened to have. All tests are one family. Factors with one level are left out.
func Factors(set dataset.Set, o Options) ([]Main, error) {
	var list []Main
	r := Result{Alpha: o.Alpha}
	for _, f := range levels(set) {
		byLevel := map[string]dataset.Treatment{}
		for _, t := range set.Trials {
			i := slices.IndexFunc(t.Levels, func(l results.Level) bool { return l.Factor == f.Path })
			if i < 0 {
				continue
			}
			value := t.Levels[i].Value
			t.Block = strings.Join(others(t.Levels, i), ",") + "\x00" + t.Block
			of := byLevel[value]
			of.Name, of.Trials = f.Path+"="+value, append(of.Trials, t)
			byLevel[value] = of
		}
		for _, level := range f.Levels[1:] {
			base, head := byLevel[f.Levels[0]], byLevel[level]
			if !shared(base, head) {
				base, head = unblocked(base), unblocked(head)
			}
			o.Blocked = true
			from := len(r.Rows)
			if err := r.treatment(base, head, o); err != nil {
				return nil, err
			}
			for i := range r.Rows[from:] {
				row := &r.Rows[from+i]
				row.Floor = row.leastFloor(base)
				list = append(list, Main{Factor: f.Path, Base: f.Levels[0], Level: level, Balanced: balanced(base, head)})
			}
		}
	}
	r.judge(o)
	for i := range list {
		list[i].Row = r.Rows[i]
	}
	return list, nil
}

// leastFloor is the smallest effect floor of the base over the levels of the other factors: what is little of the largest may matter to the rest.
func (row *Row) leastFloor(base dataset.Treatment) float64 {
	floor, parts := math.Inf(1), map[string][]float64{}
	for _, t := range base.Trials {
		part, _, _ := strings.Cut(t.Block, "\x00")
		if m, ok := t.Metric(row.Metric); ok && m.Known && t.Counted() {
			parts[part] = append(parts[part], m.Value)
		}
	}
	for _, values := range parts {
		slices.Sort(values)
		floor = min(floor, row.Info.Floor(stats.Quantile(values, 0.5)))
	}
	if math.IsInf(floor, 1) {
		return row.Floor
	}
	return floor
}

// levels are the factors that have two levels of which a trial ended, in the order of the experiment.
func levels(set dataset.Set) []results.Factor {
	var list []results.Factor
	for _, f := range set.Manifest.Factors {
		list = append(list, results.Factor{Path: f.Path})
	}
	seen := map[results.Level]bool{}
	for _, t := range set.Treatments() {
		for _, l := range t.Levels {
			if seen[l] {
				continue
			}
			seen[l] = true
			i := slices.IndexFunc(list, func(f results.Factor) bool { return f.Path == l.Factor })
			if i < 0 {
				i = len(list)
				list = append(list, results.Factor{Path: l.Factor})
			}
			list[i].Levels = append(list[i].Levels, l.Value)
		}
	}
	for i, f := range set.Manifest.Factors {
		slices.SortStableFunc(list[i].Levels, func(a, b string) int { return slices.Index(f.Levels, a) - slices.Index(f.Levels, b) })
	}
	return slices.DeleteFunc(list, func(f results.Factor) bool { return len(f.Levels) < 2 })
}

// others are the levels but one.
func others(list []results.Level, but int) []string {
	var names []string
	for i, l := range list {
		if i != but {
			names = append(names, l.Factor+"="+l.Value)
		}
	}
	return names
}

// shared reports whether blocks of the design have trials of both sides: at least two, and one of every combination of other levels.
func shared(base, head dataset.Treatment) bool {
	in := func(t dataset.Treatment) (blocks, parts map[string]bool) {
		blocks, parts = map[string]bool{}, map[string]bool{}
		for _, trial := range t.Trials {
			if trial.Counted() {
				part, _, _ := strings.Cut(trial.Block, "\x00")
				blocks[trial.Block], parts[part] = true, true
			}
		}
		return blocks, parts
	}
	b, parts := in(base)
	h, _ := in(head)
	both := map[string]bool{}
	n := 0
	for name := range b {
		part, block, _ := strings.Cut(name, "\x00")
		if h[name] && block != "" {
			both[part] = true
			n++
		}
	}
	return n > 1 && len(both) == len(parts)
}

func balanced(base, head dataset.Treatment) bool {
	n := map[string]int{}
	for i, side := range []dataset.Treatment{base, head} {
		for _, t := range side.Trials {
			if part, _, _ := strings.Cut(t.Block, "\x00"); t.Counted() {
				n[part] += 1 - 2*i
			}
		}
	}
	for _, more := range n {
		if more != 0 {
			return false
		}
	}
	return true
}

// unblocked has the other levels alone for a block.
func unblocked(t dataset.Treatment) dataset.Treatment {
	t.Trials = slices.Clone(t.Trials)
	for i := range t.Trials {
		t.Trials[i].Block, _, _ = strings.Cut(t.Trials[i].Block, "\x00")
	}
	return t
}
