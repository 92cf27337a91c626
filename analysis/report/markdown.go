package report

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
)

// WriteMarkdown prints the same table as Markdown.
func WriteMarkdown(w io.Writer, r Run) error {
	var b bytes.Buffer
	groups := r.groups()
	if len(groups) == 0 {
		_, err := fmt.Fprintf(w, "%s: no trial has ended: there is nothing to report.\n", r.Manifest.Run)
		return err
	}
	var foot notes
	columns := slices.Concat(always, extra(groups))
	b.WriteString("| treatment | n |")
	for _, c := range columns {
		fmt.Fprintf(&b, " %s |", c.name())
	}
	b.WriteString("\n|---|--:|" + strings.Repeat("--:|", len(columns)) + "\n")
	for _, g := range groups {
		fmt.Fprintf(&b, "| %s | %s |", g.name, g.tally())
		for _, c := range columns {
			cell := g.cell(c.metric)
			text := cell.Median + foot.mark(cell.Note)
			if cell.Spread != "" {
				text += " (" + cell.Spread + ")"
			}
			fmt.Fprintf(&b, " %s |", text)
		}
		b.WriteString("\n| *noise floor* | |")
		for _, c := range columns {
			floor := ""
			if strings.HasPrefix(c.metric, "blackout.") {
				floor = g.floor(c.metric)
			}
			fmt.Fprintf(&b, " %s |", floor)
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "\nMedian over trials (range below n = %d, else quartiles). ≥: censored, the truth is larger. The noise floor is the same estimate on the undisturbed baseline.\n", fewTrials)
	for i, text := range foot.list {
		fmt.Fprintf(&b, "\n%s %s\n", superscript(i+1), text)
	}
	for _, g := range groups {
		for _, s := range g.endings() {
			fmt.Fprintf(&b, "\n- %s\n", s)
		}
	}
	writePackets(&b, r)
	_, err := w.Write(b.Bytes())
	return err
}

// writePackets prints what the decoded packets show less what the hypervisor says, a row a trial.
func writePackets(b *bytes.Buffer, r Run) {
	rows := r.packetRows()
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "\n**%s**\n\n", packetTitle)
	for i, row := range rows {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i == 0 {
			b.WriteString("|---|" + strings.Repeat("--:|", len(row)-1) + "\n")
		}
	}
	fmt.Fprintf(b, "\n%s\n", packetNote)
	for _, s := range r.packetDifferences() {
		fmt.Fprintf(b, "\n- %s\n", s)
	}
}
