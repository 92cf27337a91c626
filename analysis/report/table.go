package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"virtscope/analysis/published"
	"virtscope/analysis/text"
	"virtscope/analysis/timeline"
)

// WriteTable prints the run's table for a terminal: per treatment the medians, the spread beneath, and the noise floor
// of what has one. A table is some 130 columns wide at most.
func WriteTable(w io.Writer, r Run) error {
	var b bytes.Buffer
	groups := r.groups()
	fmt.Fprintf(&b, "%s: %s\n", r.Manifest.Run, r.progress())
	if r.Manifest.Question != "" {
		fmt.Fprintf(&b, "%s\n", r.Manifest.Question)
	}
	if len(groups) == 0 {
		b.WriteString("no trial has ended: there is nothing to report\n")
		_, err := w.Write(b.Bytes())
		return err
	}
	var foot notes
	var told []string
	for _, sec := range sections(groups) {
		b.WriteString("\n")
		if sec.title != "" {
			b.WriteString(sec.title + "\n")
		}
		shown := sec.rows(groups)
		for i, columns := range fitted(shown, sec) {
			if i > 0 {
				b.WriteString("\n")
			}
			text.Aligned(&b, tableRows(shown, columns, &foot))
		}
		if n := sectionNotes[sec.title]; n != "" {
			told = append(told, n)
		}
	}
	fmt.Fprintf(&b, "\nmedians over trials; n below %d shows the range, else the quartiles; ≥: censored, the truth is larger\n", fewTrials)
	if kindOf(groups).outages {
		b.WriteString("noise floor: the same estimate on the undisturbed baseline, median\n")
	}
	for _, n := range told {
		text.Wrapped(&b, "", n)
	}
	for i, note := range foot.list {
		text.Wrapped(&b, superscript(i+1)+" ", note)
	}
	for _, remark := range r.remarks() {
		text.Wrapped(&b, "! ", remark)
	}
	if rows := r.differenceRows(); len(rows) > 0 {
		fmt.Fprintf(&b, "! %s:\n", differTitle)
		for i := range rows {
			rows[i][0] = "  " + rows[i][0]
		}
		text.Aligned(&b, append([][]string{{"", "trials", "by, median", "range"}}, rows...))
	}
	if rows := r.sequentialTable(); rows != nil {
		b.WriteString("\n")
		text.Wrapped(&b, "", r.sequentialTitle())
		text.Aligned(&b, rows)
	}
	writeValidity(&b, r)
	published.NewTable(r.Paper, r.Published).Write(&b)
	_, err := w.Write(b.Bytes())
	return err
}

// differTitle stands over the pairs of views that disagree.
const differTitle = "views of the outage that differ by more than their bounds and noise explain (docs/outages.md says why they may)"

func tableRows(groups []group, columns []column, foot *notes) [][]string {
	over, head := []string{"", ""}, []string{"", "n"}
	for _, c := range columns {
		over, head = append(over, c.over), append(head, c.title)
	}
	rows := [][]string{head}
	if strings.Join(over, "") != "" {
		rows = [][]string{over, head}
	}
	for _, g := range groups {
		medians := []string{g.name, g.tally()}
		spreads := []string{"  " + g.spreadLabel(), ""}
		floors := []string{"  noise floor", ""}
		for _, c := range columns {
			cell := g.cell(c.metric)
			medians = append(medians, cell.Median+foot.mark(cell.Note))
			spreads = append(spreads, cell.Spread)
			floors = append(floors, g.floor(c.metric))
		}
		if strings.Join(medians[2:], "") == "" {
			continue // none of these figures applies to it
		}
		rows = append(rows, medians)
		for _, row := range [][]string{spreads, floors} {
			if strings.Join(row[2:], "") != "" {
				rows = append(rows, row)
			}
		}
	}
	return rows
}

// progress is how much of the plan was done.
func (r Run) progress() string {
	if r.Planned > 0 {
		return fmt.Sprintf("%d of %d trials ended", len(r.Trials), r.Planned)
	}
	return fmt.Sprintf("%d trials ended", len(r.Trials))
}

// remarks are what must be read beside the table.
func (r Run) remarks() []string {
	list := endings(r.groups())
	if len(r.Plots) > 0 {
		_, problems := r.plots()
		list = append(list, problems...)
	}
	for _, t := range r.Trials {
		id := t.Outcome.Trial.ID
		if t.Problem != "" {
			list = append(list, fmt.Sprintf("%s: %s", id, t.Problem))
		}
		if t.Timeline == nil {
			continue
		}
		if q := t.metric(timeline.MemoryCorrupt); q.Known && q.Value > 0 {
			list = append(list, fmt.Sprintf("%s: %.0f pages of the guest's memory are corrupt", id, q.Value))
		}
		for _, w := range t.Timeline.Warnings {
			list = append(list, fmt.Sprintf("%s: %s", id, w))
		}
		if early := t.earliness(); early != "" && t.counted() {
			list = append(list, fmt.Sprintf("%s: %s", id, early))
		}
	}
	return list
}

func orNoReason(s string) string {
	if s == "" {
		return "no reason was given"
	}
	return s
}
