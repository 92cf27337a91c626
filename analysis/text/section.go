package text

import (
	"bytes"
	"strings"
)

// A Section is a table and what must be read with it, for a terminal or a page.
type Section struct {
	Title string     `json:"title"`
	Rows  [][]string `json:"rows,omitempty"` // the head first; all of one length
	Notes []string   `json:"notes,omitempty"`
}

// Empty reports whether there is nothing in it.
func (s Section) Empty() bool { return len(s.Rows) < 2 && len(s.Notes) == 0 }

// Write prints the section: the table aligned, the notes beneath. An empty one is left out.
func (s Section) Write(b *bytes.Buffer) {
	if s.Empty() {
		return
	}
	b.WriteString("\n" + s.Title + "\n")
	if len(s.Rows) > 1 {
		var rows [][]string
		for _, row := range s.Rows {
			rows = append(rows, append([]string{"  " + row[0]}, row[1:]...))
		}
		Aligned(b, rows)
	}
	for _, n := range s.Notes {
		Wrapped(b, "  — ", n)
	}
}

// Slug makes of a name what may stand in the name of a metric: small letters, with a dash for a space.
func Slug(name string) string { return strings.ReplaceAll(strings.ToLower(name), " ", "-") }
