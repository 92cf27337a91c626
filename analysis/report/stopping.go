package report

import (
	"bytes"
	"fmt"
	"strings"
	"virtscope/analysis/text"
	"virtscope/results"
)

// stoppingTitle stands over the treatments and where they stopped.
const stoppingTitle = "Where each treatment stopped"

// notRun is how many trials were not needed, and have not run.
func (r Run) notRun() int {
	n := len(r.LeftOut)
	for _, t := range r.Trials {
		if _, ok := r.LeftOut[t.Outcome.Trial.ID]; ok {
			n-- // it was invalid, and need not be run again
		}
	}
	return n
}

// stoppingRows are the head and the rows of the table; nil where the experiment has no rule.
func (r Run) stoppingRows() [][]string {
	if r.Stopping == nil || len(r.Stopping.Rows) == 0 {
		return nil
	}
	rows := [][]string{r.Stopping.Head()}
	for _, row := range r.Stopping.Rows {
		cells := row.Cells()
		cells[0] = treatmentName(results.Trial{Levels: row.Levels})
		rows = append(rows, cells)
	}
	return rows
}

// stoppingNotes are the rule, and what it means for other figures.
func (r Run) stoppingNotes() []string {
	if r.Stopping == nil {
		return nil
	}
	list := []string{capital(r.Stopping.Rule.String()) + "."}
	if n := len(r.Stopping.Unreached()); n > 0 {
		list = append(list, fmt.Sprintf("Of %d of %d treatments the median is not known that well, with all replicates.", n, len(r.Stopping.Rows)))
	}
	return append(list, fmt.Sprintf("Of %s, these intervals hold whenever a treatment stopped. All other intervals and tests are those of trials whose number was set beforehand.", r.Stopping.Rule.Metric))
}

func (r Run) writeStopping(b *bytes.Buffer) {
	rows := r.stoppingRows()
	if rows == nil {
		return
	}
	fmt.Fprintf(b, "\n%s\n", strings.ToLower(stoppingTitle[:1])+stoppingTitle[1:])
	text.Aligned(b, rows)
	for _, note := range r.stoppingNotes() {
		text.Wrapped(b, "", note)
	}
}

func (r Run) writeStoppingMarkdown(b *bytes.Buffer) {
	for i, row := range r.stoppingRows() {
		if i == 0 {
			fmt.Fprintf(b, "\n**%s**\n\n", stoppingTitle)
		}
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i == 0 {
			b.WriteString("|" + strings.Repeat("---|", len(row)) + "\n")
		}
	}
	for _, note := range r.stoppingNotes() {
		fmt.Fprintf(b, "\n%s\n", note)
	}
}
