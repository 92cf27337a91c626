package recovery

import (
	"fmt"
	"slices"
	"virtscope/analysis/edges"
	"virtscope/analysis/quantity"
	"virtscope/analysis/text"
)

// most is of how many failures each has a row.
const most = 60

// Sections write failures, what the period costs, and the checkpoints, for reading.
func (r *Report) Sections() []text.Section {
	return append([]text.Section{r.table(), r.balance()}, r.Saving.Sections()...)
}

// table is a row a failure.
func (r *Report) table() text.Section {
	s := text.Section{
		Title: "failures, and how the guest came back", Rows: [][]string{
			{"n", "kind", "detected by", "after", "restart", "effect to answer", "client's outage", "lost, guest's time", "truth within", "lost, its counter", "checkpoint's age"},
		}, Notes: slices.Clone(r.Notes),
	}
	var whys []string
	why := func(name string, q quantity.Quantity) {
		if t := name + ": " + q.Why; (!q.Known || q.Censored) && !slices.Contains(whys, t) {
			whys = append(whys, t)
		}
	}
	for i, f := range r.Failures {
		why("lost, guest's time", f.Lost)
		why("lost, its counter", f.LostWork)
		why("effect to answer", f.Recovery)
		if i == most {
			s.Notes = append(s.Notes, fmt.Sprintf("%d failures more", len(r.Failures)-i))
		}
		if i >= most {
			continue
		}
		s.Rows = append(s.Rows, []string{
			fmt.Sprint(f.N), text.Dash(f.Kind), text.Dash(f.By), quantity.Cell(f.Detection), quantity.Cell(f.Restart), quantity.Cell(f.Recovery),
			quantity.Cell(f.Outage), quantity.Cell(f.Lost), text.Dash(quantity.ShowBounds(f.Lost)), quantity.Cell(f.LostWork), quantity.Cell(f.Age),
		})
	}
	s.Notes = append(s.Notes, whys...)
	if r.Alarms > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%d false alarms: the guest was taken for failed although no failure had been injected", r.Alarms))
	}
	return s
}

// balance is what the period costs, and what models say of it.
func (r *Report) balance() text.Section {
	s := text.Section{Title: "what the period costs, and its optimum", Rows: [][]string{{"", "", "truth within"}}}
	for _, row := range []struct {
		name string
		q    quantity.Quantity
	}{
		{"period", r.Period},
		{"a checkpoint delays the work by", r.Optimum.Cost},
		{"mean time between failures", r.MTBF},
		{"availability", r.Availability},
		{"work rate in the baseline", r.Baseline},
		{"work rate while the guest was there", r.Working},
		{"slower by", r.Overhead},
		{"waste over work, measured", r.Optimum.Measured},
		{"waste over work, by Daly's model", r.Optimum.Predicted},
		{"optimal period by Young", r.Optimum.Young},
		{"optimal period by Daly", r.Optimum.Daly},
	} {
		if !row.q.Known {
			s.Notes = append(s.Notes, row.name+" is unknown: "+row.q.Why)
			continue
		}
		s.Rows = append(s.Rows, []string{row.name, quantity.Show(row.q), text.Dash(quantity.ShowBounds(row.q))})
	}
	s.Notes = append(s.Notes, r.Optimum.Notes...)
	if n := len(r.Failures); n > 0 && n < 10 {
		s.Notes = append(s.Notes, fmt.Sprintf("the mean time between failures is of %d: with so few, it and the optima may be far from the truth", n))
	}
	return s
}

// The phases of a failure.
const (
	Undetected = "undetected" // from its effect until it is detected
	Recovering = "recovering" // from there until the guest answers
	Saving     = "checkpoint"
)

// Spans are the checkpoints and failures as spans of the action, in the order of their begins. A checkpoint that a failure cut off ends
// there.
func (r *Report) Spans() []edges.Span {
	var list []edges.Span
	for _, c := range r.Saving.Checkpoints {
		list = append(list, edges.Span{Name: Saving, Start: c.Begin, End: c.End})
	}
	for _, f := range r.Failures {
		at := f.Effective
		if f.Detected != nil && f.Detected.Time >= at.Time {
			list = append(list, edges.Span{Name: Undetected, Start: at, End: *f.Detected})
			at = *f.Detected
		}
		if f.End != nil && f.End.Time >= at.Time {
			list = append(list, edges.Span{Name: Recovering, Start: at, End: *f.End})
		}
	}
	for _, b := range r.Saving.Restores {
		if b.N == 0 && b.End != nil {
			list = append(list, edges.Span{Name: Recovering, Start: b.Begin, End: *b.End})
		}
	}
	slices.SortStableFunc(list, func(a, b edges.Span) int { return int(min(1, max(-1, a.Start.Time-b.Start.Time))) })
	for i := 0; i+1 < len(list); i++ {
		if next := list[i+1].Start; list[i].Name == Saving && list[i].End.Time > next.Time {
			list[i].End = next
		}
	}
	return list
}
