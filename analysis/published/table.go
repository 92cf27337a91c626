package published

import (
	"bytes"
	"fmt"
	"strings"
	"virtscope/analysis/text"
)

// A Table is a paper's figures beside a run's, as plain text, for a terminal, Markdown or a page.
type Table struct {
	Title    string
	Citation string // with the year
	Link     string // DOI or address; "" if there is none
	Changes  string
	Head     []string
	Rows     [][]string // the first cell names the claim, the last one is the verdict with the number of its note
	Notes    []string   // in order, numbered from 1
	Rules    string     // what the verdicts mean
}

// rules stand beneath the table.
const rules = "agrees: the interval of what was measured holds what was published, or, in trend, lies on the same side. open: too little was measured to say. " +
	"A median's interval, else the range of the trials (–). Papers' figures are of other machines: an agreement is of the effect, not of the hardware."

// NewTable lays rows out. Without rows it has none.
func NewTable(p Paper, rows []Row) Table {
	t := Table{
		Title: "published and measured", Citation: p.Citation, Link: p.Link, Changes: p.Changes, Rules: rules,
		Head: []string{"", "published", "measured", "interval", "n", "verdict"},
	}
	if p.Year > 0 && !strings.Contains(p.Citation, fmt.Sprint(p.Year)) {
		t.Citation += fmt.Sprintf(" (%d)", p.Year)
	}
	for _, r := range rows {
		published := r.Published
		if r.Recalled {
			published += " (recalled)"
		}
		verdict := string(r.Verdict)
		if r.InTrend {
			verdict += " in trend"
		}
		t.Notes = append(t.Notes, note(r))
		t.Rows = append(t.Rows, []string{
			r.Name, published, r.Measured, r.Interval, r.N, verdict + text.Superscript(len(t.Notes)),
		})
	}
	return t
}

// note is what was compared, where the paper says it, and what is to be known of the comparison.
func note(r Row) string {
	var parts []string
	if r.Metric != "" {
		parts = append(parts, strings.TrimSpace(r.Metric+" "+r.At))
	}
	for _, s := range []string{"paper: " + r.Source, r.Detail, r.Why} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, " · ")
}

// Empty reports whether there is nothing to print.
func (t Table) Empty() bool { return t.Citation == "" && len(t.Rows) == 0 }

// Write prints the table for a terminal; nothing of an empty one.
func (t Table) Write(b *bytes.Buffer) {
	if t.Empty() {
		return
	}
	fmt.Fprintf(b, "\n%s\n", t.Title)
	text.Wrapped(b, "  ", join(t.Citation, t.Link))
	if t.Changes != "" {
		text.Wrapped(b, "  ", "changed here: "+t.Changes)
	}
	if len(t.Rows) > 0 {
		text.Aligned(b, append([][]string{t.Head}, t.Rows...))
		b.WriteString("\n")
		text.Wrapped(b, "", t.Rules)
	}
	for i, n := range t.Notes {
		text.Wrapped(b, text.Superscript(i+1)+" ", n)
	}
}

// WriteMarkdown prints the table as Markdown.
func (t Table) WriteMarkdown(b *bytes.Buffer) {
	if t.Empty() {
		return
	}
	fmt.Fprintf(b, "\n**%s**\n\n%s", t.Title, escape(t.Citation))
	if t.Link != "" {
		fmt.Fprintf(b, " <%s>", t.Link)
	}
	b.WriteString("\n")
	if t.Changes != "" {
		fmt.Fprintf(b, "\nChanged here: %s\n", escape(t.Changes))
	}
	if len(t.Rows) == 0 {
		return
	}
	b.WriteString("\n")
	for i, row := range append([][]string{t.Head}, t.Rows...) {
		cells := make([]string, len(row))
		for j, c := range row {
			cells[j] = escape(c)
		}
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
		if i == 0 {
			b.WriteString("|---|" + strings.Repeat("--:|", len(row)-2) + "---|\n")
		}
	}
	fmt.Fprintf(b, "\n%s\n", t.Rules)
	for i, n := range t.Notes {
		fmt.Fprintf(b, "\n%s %s\n", text.Superscript(i+1), escape(n))
	}
}

func escape(s string) string { return strings.NewReplacer("|", `\|`, "\n", " ").Replace(s) }
