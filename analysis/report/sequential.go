package report

import (
	"fmt"
	"math"
	"virtscope/analysis/quantity"
	"virtscope/analysis/stats"
	"virtscope/results"
)

// sequentialHead are the columns of the trials that were enough.
var sequentialHead = []string{"treatment", "trials", "median", "interval", "half of it", "known well enough"}

// sequentialTitle says by which rule trials were left out; "" if there is none.
func (r Run) sequentialTitle() string {
	s := r.Manifest.Stop
	if s == nil {
		return ""
	}
	title := fmt.Sprintf("sequential: of each treatment %d to %d trials, until half the interval of the median of %s is at most %.3g %% of it", s.AtLeast, s.AtMost, s.Metric, 100*s.Within)
	if r.Skipped > 0 {
		title += fmt.Sprintf("; %d trials were not needed", r.Skipped)
	}
	return title
}

// sequentialRows are the treatments with the interval that holds at all looks together.
func (r Run) sequentialRows() [][]string {
	s := r.Manifest.Stop
	if s == nil {
		return nil
	}
	m, err := stats.NewMedianSequence(s.AtLeast, s.AtMost, s.Confidence)
	if err != nil {
		return [][]string{{err.Error(), "", "", "", "", ""}}
	}
	var rows [][]string
	for _, g := range r.groups() {
		rows = append(rows, r.sequentialRow(g, m))
	}
	return rows
}

// sequentialTable is both with the head; nil if there is no rule.
func (r Run) sequentialTable() [][]string {
	rows := r.sequentialRows()
	if len(rows) == 0 {
		return nil
	}
	return append([][]string{sequentialHead}, rows...)
}

func (r Run) sequentialRow(g group, m stats.MedianSequence) []string {
	s := r.Manifest.Stop
	look := m.Look(g.sample(s.Metric), s.Within)
	unit := g.unit(s.Metric)
	show := func(e stats.Estimate, side quantity.Side) string {
		if math.IsNaN(e.Value) {
			return "unknown"
		}
		return e.Show(unit, side)
	}
	row := []string{g.name, fmt.Sprintf("%d of %d", look.N, s.AtMost), show(look.Median, quantity.Nearest), "unknown: " + look.Why, "", "no"}
	if i := look.Interval; i.Known {
		row[3] = fmt.Sprintf("%s to %s (%.1f %%)", show(i.Low, quantity.Down), show(i.High, quantity.Up), 100*i.Confidence)
		if i.High.AtLeast {
			row[3] = fmt.Sprintf("from %s (%.1f %%)", show(i.Low, quantity.Down), 100*i.Confidence)
		}
	}
	if !math.IsNaN(look.Half) {
		row[4] = fmt.Sprintf("%.2g %%", 100*look.Half)
	}
	switch {
	case look.Enough:
		row[5] = "yes"
	case look.N >= s.AtMost:
		row[5] = "no, after all trials"
	}
	return row
}

// unit is that of a metric in the group's trials.
func (g group) unit(metric string) results.Unit {
	for _, t := range g.trials {
		if q := t.metric(metric); q.Known {
			return q.Unit
		}
	}
	return ""
}
