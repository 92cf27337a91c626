package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"virtscope/analysis/dataset"
	"virtscope/analysis/metric"
	"virtscope/analysis/stats"
	"virtscope/results"
)

// A chart is a metric of the treatments that stand in one figure.
type chart struct {
	metric, title string // title is what a reader calls it
	unit          results.Unit
	x, by         *axis // nil where the figure has none
	panel         string
	left          string // what was left out of all figures, in a sentence
	rows          []chartRow
}

// An axis is a factor. Levels that are numbers of one unit are in their order, and values are theirs; else values is nil.
type axis struct {
	path   string
	levels []string
	values []float64
}

// place is that of a treatment's level; 0 of no factor, −1 if it has none.
func (a *axis) place(levels []results.Level) int {
	if a == nil {
		return 0
	}
	for _, l := range levels {
		if l.Factor == a.path {
			return slices.Index(a.levels, l.Value)
		}
	}
	return -1
}

// A chartRow is a treatment.
type chartRow struct {
	name    string
	levels  []results.Level
	x, by   int // places of its levels
	data    []stats.Datum
	sample  stats.Sample
	summary stats.Summary
	failed  int // trials that did, and count
}

// known are the data that have a value.
func (r chartRow) known() []stats.Datum {
	return slices.DeleteFunc(slices.Clone(r.data), func(d stats.Datum) bool { return !d.Known })
}

// unknown is how many trials that count have no value.
func (r chartRow) unknown() int { return r.summary.N - r.summary.Known }

// axes are the factors of a set, numbers in their order.
func axes(set dataset.Set) []axis {
	var list []axis
	for _, f := range set.Manifest.Factors {
		a := axis{path: f.Path, levels: slices.Clone(f.Levels)}
		if values := levelValues(a.levels); values != nil {
			slices.SortStableFunc(a.levels, func(x, y string) int {
				return cmp.Compare(values[slices.Index(f.Levels, x)], values[slices.Index(f.Levels, y)])
			})
			a.values = levelValues(a.levels)
		}
		list = append(list, a)
	}
	return list
}

// newCharts are the panels of a figure: one for each combination of the factors that it shows neither along an axis nor in colours.
func newCharts(set dataset.Set, p Plot) ([]chart, error) {
	c := chart{metric: p.Metric, title: metric.About(p.Metric).Title}
	if have := set.Metrics(); !slices.Contains(have, p.Metric) {
		if len(have) == 0 {
			return nil, fmt.Errorf("%s: no trial counts: there is nothing to draw", set.Name)
		}
		return nil, fmt.Errorf("no trial has the metric %q%s: this run has %s", p.Metric, orNear(p.Metric, have), strings.Join(have, ", "))
	}
	var rows []chartRow
	known := 0
	for _, t := range set.Treatments() {
		s, unit, err := t.Sample(p.Metric)
		if err != nil {
			return nil, err
		}
		if unit != "" && c.unit != "" && unit != c.unit {
			return nil, fmt.Errorf("draw %s: %s has it in %s, others in %s", p.Metric, t.Name, unit, c.unit)
		}
		if unit != "" {
			c.unit = unit
		}
		r := chartRow{
			name: treatmentName(results.Trial{Levels: t.Levels}), levels: t.Levels, data: s.Data(), sample: s, summary: stats.Summarise(s, Confidence),
		}
		for _, trial := range t.Trials {
			if trial.Counted() && trial.Verdict == results.Failed {
				r.failed++
			}
		}
		known += r.summary.Known
		rows = append(rows, r)
	}
	if known == 0 {
		return nil, fmt.Errorf("draw %s: no trial has a value of it: %s", p.Metric, whyUnknown(set, p.Metric))
	}
	all := axes(set)
	slices.SortStableFunc(rows, func(a, b chartRow) int { return slices.Compare(placesIn(all, a.levels), placesIn(all, b.levels)) })
	if err := c.choose(p, all, len(rows)); err != nil {
		return nil, err
	}
	return c.panels(p, rows)
}

// placesIn are those of levels in the order of the axes.
func placesIn(all []axis, levels []results.Level) []int {
	var list []int
	for i := range all {
		list = append(list, all[i].place(levels))
	}
	return list
}

// whyUnknown is the first reason why a metric has no value.
func whyUnknown(set dataset.Set, name string) string {
	for _, t := range set.Trials {
		if m, ok := t.Metric(name); ok && t.Counted() && !m.Known && m.Why != "" {
			return m.Why
		}
	}
	return "no reason was given"
}

// panels deals the treatments to figures.
func (c chart) panels(p Plot, rows []chartRow) ([]chart, error) {
	var list []chart
	shown := func(path string) bool {
		return c.x != nil && c.x.path == path || c.by != nil && c.by.path == path
	}
	whole := p.Kind == "box" || p.Kind == "qq" || c.x == nil && c.by == nil // all treatments stand in one
	for _, r := range rows {
		r.x, r.by = c.x.place(r.levels), c.by.place(r.levels)
		if r.x < 0 || r.by < 0 {
			continue // the plan of another design
		}
		var names []string
		for _, l := range r.levels {
			if !whole && !shown(l.Factor) && several(rows, l.Factor) {
				names = append(names, shortName(l.Factor)+" "+l.Value)
			}
		}
		name := strings.Join(names, ", ")
		i := slices.IndexFunc(list, func(have chart) bool { return have.panel == name })
		if i < 0 {
			i = len(list)
			list = append(list, c)
			list[i].panel = name
		}
		list[i].rows = append(list[i].rows, r)
	}
	list = slices.DeleteFunc(list, func(c chart) bool {
		return !slices.ContainsFunc(c.rows, func(r chartRow) bool { return r.summary.Known > 0 })
	})
	if len(list) > mostPanels {
		var names []string
		for _, left := range list[mostPanels:] {
			names = append(names, left.panel)
		}
		list = list[:mostPanels]
		for i := range list {
			list[i].left = fmt.Sprintf("Not drawn: %s.", strings.Join(names, "; "))
		}
	}
	return list, nil
}

// several reports whether treatments have more than one level of a factor.
func several(rows []chartRow, path string) bool {
	seen := map[string]bool{}
	for _, r := range rows {
		for _, l := range r.levels {
			if l.Factor == path {
				seen[l.Value] = true
			}
		}
	}
	return len(seen) > 1
}

// orNear is a guess at what a name meant, or "".
func orNear(name string, have []string) string {
	for _, h := range have {
		if strings.HasSuffix(h, "."+name) || strings.HasPrefix(h, name+".") || strings.EqualFold(h, name) {
			return fmt.Sprintf(" (did you mean %s?)", h)
		}
	}
	return ""
}
