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
		return flipped(groups, sec, foot)
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

// A table of manyMetrics or more and fewTreatments or less is shown with a row for each metric.
const (
	manyMetrics   = 8
	fewTreatments = 3
)

// flipped is a section with a row for each metric and a column for each treatment; none of one that is not wide.
func flipped(groups []group, sec section, foot *notes) []pagePivot {
	if len(sec.columns) < manyMetrics || len(groups) > fewTreatments {
		return nil
	}
	p := pagePivot{Corner: "median"}
	tally := pivotRow{Name: "n"}
	for _, g := range groups {
		name := g.name
		if len(g.levels) == 1 {
			name = shortName(g.levels[0].Factor) + " " + g.levels[0].Value
		}
		if label := g.spreadLabel(); label != "" {
			name += " (" + label + ")"
		}
		p.Columns = append(p.Columns, name)
		tally.Cells = append(tally.Cells, pageCell{Median: g.tally()})
	}
	p.Rows = append(p.Rows, tally)
	for _, c := range sec.columns {
		row, some := pivotRow{Name: c.name()}, false
		for _, g := range groups {
			cell := g.cell(c.metric)
			some = some || cell.Median != ""
			row.Cells = append(row.Cells, pageCell{Median: cell.Median, Mark: foot.mark(cell.Note), Spread: cell.Spread, Floor: g.floor(c.metric)})
		}
		if some {
			p.Rows = append(p.Rows, row)
		}
	}
	return []pagePivot{p}
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
