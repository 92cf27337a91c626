package saving

import (
	"fmt"
	"virtscope/analysis/edges"
	"virtscope/analysis/quantity"
	"virtscope/analysis/text"
	"virtscope/results"
)

// most is of how many checkpoints, or restores, each has a row.
const most = 40

// Sections write checkpoints and restores for reading.
func (r *Report) Sections() []text.Section {
	return []text.Section{r.table(), r.sizes(), r.back(), r.proof()}
}

// table is the phases of each checkpoint.
func (r *Report) table() text.Section {
	s := text.Section{Title: "checkpoints: they add up to the time from when each was asked for until it was kept"}
	if len(r.Checkpoints) > 0 {
		c := r.Checkpoints[0]
		s.Title = fmt.Sprintf("checkpoints: mode %s, format %s, to %s, compression %s; phases add up", orUnknown(c.Mode), orUnknown(c.Format), orUnknown(c.To), orUnknown(c.Compression))
	}
	var names []string
	head := []string{"n", "total"}
	for _, name := range Phases {
		if r.passed(name) {
			names, head = append(names, name), append(head, name)
		}
	}
	s.Rows = [][]string{append(head, "downtime", "")}
	for i := range r.Checkpoints {
		c := &r.Checkpoints[i]
		if i == most {
			s.Notes = append(s.Notes, fmt.Sprintf("%d checkpoints more", len(r.Checkpoints)-i))
			break
		}
		row := []string{fmt.Sprint(c.N), quantity.Cell(c.Total)}
		for _, name := range names {
			row = append(row, quantity.Cell(c.Phase(name)))
		}
		end := ""
		if c.Failed != "" || c.Open {
			end = "not kept"
			s.Notes = append(s.Notes, fmt.Sprintf("checkpoint %d was not kept: %s", c.N, orElse(c.Failed, "it did not end while it was observed")))
		}
		s.Rows = append(s.Rows, append(row, quantity.Cell(c.Downtime), end))
		for _, n := range c.Notes {
			s.Notes = append(s.Notes, fmt.Sprintf("checkpoint %d: %s", c.N, n))
		}
	}
	return s
}

// sizes is what each checkpoint wrote.
func (r *Report) sizes() text.Section {
	s := text.Section{Title: "what they wrote", Rows: [][]string{{"n", "before compression", "in files", "ratio", "rate", "disk", "of it"}}}
	for i, c := range r.Checkpoints {
		if i == most {
			break
		}
		disk := quantity.Cell(c.DiskSize)
		s.Rows = append(s.Rows, []string{fmt.Sprint(c.N), quantity.Cell(c.Raw), quantity.Cell(c.Written), quantity.Cell(c.Ratio), quantity.Cell(c.Rate), text.Dash(c.DiskKind), disk})
	}
	return s
}

// back is how the guest came back.
func (r *Report) back() text.Section {
	s := text.Section{Title: "restores: the phases add up to the total", Rows: [][]string{append(append([]string{"on", "total"}, RestorePhases...), "read", "lost to running", "lost to answering")}}
	for i := range r.Restores {
		x := &r.Restores[i]
		if i == most {
			s.Notes = append(s.Notes, fmt.Sprintf("%d restores more", len(r.Restores)-i))
			break
		}
		row := []string{text.Dash(x.Host), quantity.Cell(x.Total)}
		for _, name := range RestorePhases {
			row = append(row, quantity.Cell(phase(x.Phases, name)))
		}
		s.Rows = append(s.Rows, append(row, quantity.Cell(x.Bytes), quantity.Cell(x.Downtime), quantity.Cell(x.Outage)))
		s.Notes = append(s.Notes, x.Notes...)
	}
	return s
}

// proof is what was verified, damaged and refused.
func (r *Report) proof() text.Section {
	s := text.Section{Title: "of the checkpoints' files"}
	if r.Verified > 0 {
		s.Notes = append(s.Notes, quantity.Show(quantity.Exactly(r.Verified, results.Bytes))+" were read back and found as they had been written")
	}
	if r.Skipped > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%d periods had no checkpoint: the one before was still under way", r.Skipped))
	}
	if r.Pruned > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%d were removed by retention", r.Pruned))
	}
	for _, d := range r.Damaged {
		s.Notes = append(s.Notes, "damaged on purpose: "+d)
	}
	for _, d := range r.Refused {
		s.Notes = append(s.Notes, "a restore was refused: "+orElse(d, "no reason was given"))
	}
	return s
}

// Spans are the checkpoints and restores as spans of an action, in the order of their begins.
func (r *Report) Spans() []edges.Span {
	var list []edges.Span
	for _, c := range r.Checkpoints {
		list = append(list, edges.Span{Name: fmt.Sprintf("checkpoint %d", c.N), Start: c.Begin, End: c.End})
	}
	for _, x := range r.Restores {
		if x.End != nil {
			list = append(list, edges.Span{Name: "restore", Start: x.Begin, End: *x.End})
		}
	}
	return list
}

func orUnknown(s string) string { return orElse(s, "unknown") }
