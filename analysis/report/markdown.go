package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"virtscope/analysis/published"
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
	for i, sec := range sections(groups) {
		if i > 0 {
			fmt.Fprintf(&b, "\n**%s**\n\n", sec.title)
		}
		writeMarkdownTable(&b, sec.rows(groups), sec, &foot)
	}
	fmt.Fprintf(&b, "\nMedian over trials (range below n = %d, else quartiles). ≥: censored, the truth is larger.", fewTrials)
	if kindOf(groups).outages {
		b.WriteString(" The noise floor is the same estimate on the undisturbed baseline.")
	}
	b.WriteString("\n")
	for i, text := range foot.list {
		fmt.Fprintf(&b, "\n%s %s\n", superscript(i+1), text)
	}
	for _, s := range endings(groups) {
		fmt.Fprintf(&b, "\n- %s\n", s)
	}
	writePackets(&b, r)
	if rows := r.sequentialRows(); len(rows) > 0 {
		fmt.Fprintf(&b, "\n%s\n\n| %s |\n|---|---|---|---|---|---|\n", r.sequentialTitle(), strings.Join(sequentialHead, " | "))
		for _, row := range rows {
			fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		}
	}
	writeValidityMarkdown(&b, r)
	published.NewTable(r.Paper, r.Published).WriteMarkdown(&b)
	_, err := w.Write(b.Bytes())
	return err
}

// writeMarkdownTable prints a section. A treatment to which none of its figures applies is left out of all but the first.
func writeMarkdownTable(b *bytes.Buffer, groups []group, sec section, foot *notes) {
	b.WriteString("| treatment | n |")
	for _, c := range sec.columns {
		fmt.Fprintf(b, " %s |", c.name())
	}
	b.WriteString("\n|---|--:|" + strings.Repeat("--:|", len(sec.columns)) + "\n")
	for _, g := range groups {
		var values, floors []string
		for _, c := range sec.columns {
			cell := g.cell(c.metric)
			text := cell.Median + foot.mark(cell.Note)
			if cell.Spread != "" {
				text += " (" + cell.Spread + ")"
			}
			values, floors = append(values, text), append(floors, g.floor(c.metric))
		}
		if strings.Join(values, "") == "" && sec.title != "" {
			continue
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", g.name, g.tally(), strings.Join(values, " | "))
		if strings.Join(floors, "") != "" {
			fmt.Fprintf(b, "| *noise floor* | | %s |\n", strings.Join(floors, " | "))
		}
	}
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
