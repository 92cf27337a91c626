package report

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"
	"virtscope/analysis/quantity"
	"virtscope/analysis/timeline"
	"virtscope/results"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A comparison is a metric that is drawn by factor.
type comparison struct{ metric, title, label string }

// compared are those that every run of migrations has.
var compared = []comparison{
	{timeline.TotalTime, "Total time", "total migration time"},
	{timeline.Downtime, "Downtime", "downtime"},
	{timeline.BytesPayload, "Bytes", "payload at the switch"},
}

// comparedServices are what clients of the guest lost.
func comparedServices(groups []group) []comparison {
	var list []comparison
	for _, name := range services(groups) {
		if strings.HasPrefix(name, "load") {
			list = append(list, comparison{name + ".p99.action", "Latency of " + name, "p99 of " + name + " in the action"},
				comparison{name + ".lost", "Lost seconds of " + name, "lost seconds of " + name})
		}
	}
	return list
}

// mostPanels bounds how many figures of one metric there are: one for each combination of the factors that are not drawn.
const mostPanels = 4

// wideRange is from which ratio of the largest to the smallest value on an axis is logarithmic.
const wideRange = 30

// compareFigures draw metrics by two factors, one along the axis and one in colours; none if there is no factor of two levels.
func compareFigures(r Run) []Figure {
	x, series, others := r.axes()
	if x == nil {
		return nil
	}
	panels := r.panels(others)
	if len(panels) > mostPanels {
		panels = panels[:mostPanels]
	}
	var list []Figure
	for _, m := range slices.Concat(kindOf(r.groups()).compared, comparedServices(r.groups())) {
		for i, p := range panels {
			chart := newDotChart(p.groups, m.metric, x, series)
			if len(chart.dots) == 0 {
				continue
			}
			chart.label = m.label
			f := Figure{
				Name: "compare-" + strings.ReplaceAll(m.metric, ".", "-"), Title: m.title + " by " + shortName(x.Path),
				Caption: caption(m.label, x, series, chart.log), width: captureWidth, height: 74 * vg.Millimeter, draw: chart.draw,
			}
			if series != nil {
				f.Title += " and " + shortName(series.Path)
			}
			if len(panels) > 1 {
				f.Name += fmt.Sprintf("-%d", i+1)
				f.Title += ": " + p.name
			}
			list = append(list, f)
		}
	}
	return list
}

func caption(label string, x, series *results.Factor, log bool) string {
	s := fmt.Sprintf("The %s by %s", label, x.Path)
	if series != nil {
		s += ", in colours by " + series.Path
	}
	s += ". A dot is a trial, a bar the median; an arrow is a trial of which the truth is larger, because it failed or was not seen to end. A number after a cross counts trials without a value."
	if log {
		s += " The scale is logarithmic."
	}
	return s
}

// axes are the factor along the axis, the one in colours, and the others: the algorithm comes first, then what has most levels.
func (r Run) axes() (x, series *results.Factor, others []results.Factor) {
	var factors []results.Factor
	for _, f := range r.Manifest.Factors {
		if len(f.Levels) > 1 {
			factors = append(factors, f)
		}
	}
	slices.SortStableFunc(factors, func(a, b results.Factor) int {
		rank := func(f results.Factor) int {
			if strings.HasSuffix(f.Path, ".algorithm") {
				return -1000
			}
			return -len(f.Levels)
		}
		return rank(a) - rank(b)
	})
	if len(factors) > 0 {
		x = &factors[0]
	}
	if len(factors) > 1 && len(factors[1].Levels) <= len(seriesColors) {
		series = &factors[1]
		return x, series, factors[2:]
	}
	if len(factors) > 1 {
		others = factors[1:]
	}
	return x, nil, others
}

// shortName is the last part of a factor's path.
func shortName(path string) string { return path[strings.LastIndex(path, ".")+1:] }

// A panel is the groups that share their levels of some factors.
type panel struct {
	name   string
	groups []group
}

func (r Run) panels(others []results.Factor) []panel {
	var list []panel
	for _, g := range r.groups() {
		var names []string
		for _, l := range g.levels {
			if slices.ContainsFunc(others, func(f results.Factor) bool { return f.Path == l.Factor }) {
				names = append(names, shortName(l.Factor)+" "+l.Value)
			}
		}
		name := strings.Join(names, ", ")
		i := slices.IndexFunc(list, func(p panel) bool { return p.name == name })
		if i < 0 {
			i = len(list)
			list = append(list, panel{name: name})
		}
		list[i].groups = append(list[i].groups, g)
	}
	return list
}

// seriesColors tell levels apart.
var seriesColors = []struct {
	color color.NRGBA
	shape draw.GlyphDrawer
}{
	{blue, draw.CircleGlyph{}},
	{orange, draw.BoxGlyph{}},
	{green, draw.RingGlyph{}},
	{purple, draw.SquareGlyph{}},
	{red, draw.CrossGlyph{}},
	{sky, draw.CircleGlyph{}},
	{black, draw.BoxGlyph{}},
	{grey, draw.RingGlyph{}},
}

// A dotChart is values by level of one factor, and beside each other by that of another.
type dotChart struct {
	label     string
	unit      results.Unit
	x, series *results.Factor
	dots      []placed
	lacking   map[[2]int]int // trials without a value, by place
	log       bool
	low, high float64
}

// A placed value; a median has no shape.
type placed struct {
	x, s   int // indices of levels
	v      float64
	n, of  int // place among the trials of its group
	more   bool
	median bool
}

func newDotChart(groups []group, metric string, x, series *results.Factor) *dotChart {
	c := &dotChart{x: x, series: series, lacking: map[[2]int]int{}}
	least, most := math.Inf(1), 0.0
	for _, g := range groups {
		at := [2]int{index(g, x), index(g, series)}
		if at[0] < 0 || at[1] < 0 {
			continue
		}
		n := 0
		for _, t := range g.trials {
			if !t.counted() {
				continue
			}
			q := t.metric(metric)
			if !q.Known {
				c.lacking[at]++
				continue
			}
			c.unit = q.Unit
			c.dots = append(c.dots, placed{x: at[0], s: at[1], v: q.Value, n: n, of: len(g.trials), more: q.Censored})
			n++
			most = max(most, q.Value)
			if q.Value > 0 {
				least = min(least, q.Value)
			}
		}
		if n > 1 {
			c.dots = append(c.dots, placed{x: at[0], s: at[1], v: g.summary(metric).Median.Value, median: true})
		}
	}
	c.low, c.high = 0, most*1.06
	if most > 0 && most/least > wideRange {
		c.log, c.low, c.high = true, least*0.7, most*1.4
	}
	if most == 0 {
		c.high = 1
	}
	return c
}

// index is the place of a group's level among those of a factor; 0 of no factor, and −1 if the group has none.
func index(g group, f *results.Factor) int {
	if f == nil {
		return 0
	}
	for _, l := range g.levels {
		if l.Factor == f.Path {
			return slices.Index(f.Levels, l.Value)
		}
	}
	return -1
}

// scaled is the factor and name of the unit in which the axis is written.
func (c *dotChart) scaled() (factor float64, unit string) {
	if c.log {
		return 1, "logarithmic scale"
	}
	return quantity.ScaleOf(c.high, c.unit)
}
