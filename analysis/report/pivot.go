package report

import (
	"slices"
	"strings"
	"virtscope/results"
)

// A pagePivot is one metric of all treatments: a row for each combination of levels but those of one factor, which are the columns.
type pagePivot struct {
	Title, Corner string
	Columns       []string
	Rows          []pivotRow
}

type pivotRow struct {
	Name  string
	Cells []pageCell
}

// mostPivotColumns is how many levels fit beside each other on a phone.
const mostPivotColumns = 4

// pivotFactor is the factor whose levels are columns: that of fewest levels, the last of these; nil where a table of treatments is as
// good, with one factor, or as none is small enough.
func pivotFactor(r Run) *results.Factor {
	names := varied(r)
	if len(names) < 2 {
		return nil
	}
	var best *results.Factor
	for _, f := range r.Manifest.Factors {
		n := len(f.Levels)
		if slices.Contains(names, f.Path) && n > 1 && n <= mostPivotColumns && (best == nil || n <= len(best.Levels)) {
			best = &f
		}
	}
	return best
}

// pivots are a section's metrics, each a table; none where no factor makes columns.
func pivots(r Run, groups []group, sec section, foot *notes) []pagePivot {
	f := pivotFactor(r)
	if f == nil {
		return nil
	}
	var list []pagePivot
	if sec.title == "" {
		trials := newPivot(groups, f, "trials that completed, and others", func(g group) pageCell { return pageCell{Median: g.tally()} })
		list = append(list, trials)
	}
	for _, c := range sec.columns {
		some := false
		p := newPivot(groups, f, c.name(), func(g group) pageCell {
			cell := g.cell(c.metric)
			some = some || cell.Median != ""
			return pageCell{Median: cell.Median, Mark: foot.mark(cell.Note), Spread: cell.Spread}
		})
		if some {
			list = append(list, p)
		}
	}
	return list
}

func newPivot(groups []group, f *results.Factor, title string, cell func(group) pageCell) pagePivot {
	p := pagePivot{Title: capital(title), Corner: shortName(f.Path) + ":", Columns: f.Levels}
	for _, g := range groups {
		name, column := apart(g, f)
		if column < 0 {
			continue
		}
		i := slices.IndexFunc(p.Rows, func(r pivotRow) bool { return r.Name == name })
		if i < 0 {
			i = len(p.Rows)
			p.Rows = append(p.Rows, pivotRow{name, make([]pageCell, len(f.Levels))})
		}
		p.Rows[i].Cells[column] = cell(g)
	}
	return p
}

// apart is the name of a group's levels of the other factors, and the place of its level of f; −1 if it has none.
func apart(g group, f *results.Factor) (name string, column int) {
	var names []string
	for _, l := range g.levels {
		if l.Factor == f.Path {
			continue
		}
		if len(g.levels) > 2 {
			names = append(names, shortName(l.Factor)+" "+l.Value)
			continue
		}
		names = append(names, l.Value)
	}
	return strings.Join(names, ", "), index(g, f)
}
