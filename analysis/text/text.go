// Package text lays out tables and lists for a terminal.
package text

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// Width is where a line of text is broken, in columns.
const Width = 120

// Table aligns cells that tabs end to the left. The caller flushes it.
func Table(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 4, 2, ' ', 0) }

// Aligned pads the cells of rows of one length: the first column to the left, the others to the right.
func Aligned(b *bytes.Buffer, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, c := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, c := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			switch i {
			case 0:
				line.WriteString(c + pad)
			default:
				line.WriteString("  " + pad + c)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// Wrapped breaks a text at spaces, begins it with lead, and indents what follows the first line by as much.
func Wrapped(b *bytes.Buffer, lead, text string) {
	indent := utf8.RuneCountInString(lead)
	b.WriteString(lead)
	n := indent
	for i, word := range strings.Fields(text) {
		length := utf8.RuneCountInString(word)
		switch {
		case i > 0 && n+1+length > Width:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			n = indent
		case i > 0:
			b.WriteString(" ")
			n++
		}
		b.WriteString(word)
		n += length
	}
	b.WriteString("\n")
}

// List writes a title and a line for each text beneath; nothing if there is none.
func List(b *bytes.Buffer, title string, list []string) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", title)
	for _, s := range list {
		Wrapped(b, "  - ", s)
	}
}

// Dash is s, or a dash for none.
func Dash(s string) string {
	if s == "" {
		return "—"
	}
	return s
}

// barWidth is the width of a bar in characters.
const barWidth = 32

// Bar draws where [from, to] lies between begin and end; nothing if these are not apart.
func Bar(begin, end, from, to int64) string {
	whole := end - begin
	if whole <= 0 {
		return ""
	}
	column := func(t int64) int { return int(float64(t-begin) / float64(whole) * barWidth) }
	first, last := column(from), column(to)
	first = min(first, barWidth-1)
	last = max(last, first+1)
	return strings.Repeat("·", first) + strings.Repeat("█", last-first) + strings.Repeat("·", barWidth-last)
}
