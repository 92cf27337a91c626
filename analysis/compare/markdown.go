package compare

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"virtscope/analysis/text"
)

// WriteMarkdown writes the comparison for a pull request: what differs first, the rest folded.
func WriteMarkdown(w io.Writer, r Result) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "### %s\n\nbase `%s`, head `%s`\n", escaped(r.Answer()), r.Base, r.Head)
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "\n> **Note:** %s\n", escaped(n))
	}
	r.table(&b, func(v Verdict) bool { return v.Found() || v == Unknown })
	b.WriteString("\n<details><summary>no difference found</summary>\n")
	r.table(&b, func(v Verdict) bool { return !v.Found() && v != Unknown })
	b.WriteString("\n</details>\n")
	for _, n := range r.legend() {
		fmt.Fprintf(&b, "\n%s\n", escaped(n))
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (r Result) table(b *bytes.Buffer, with func(Verdict) bool) {
	begun := false
	for _, row := range r.Rows {
		if !with(row.Verdict) {
			continue
		}
		if !begun {
			fmt.Fprintf(b, "\n| treatment | %s |\n|---%s|\n", strings.Join(head, " | "), strings.Repeat("|---", len(head)))
			begun = true
		}
		cells := append([]string{text.Treatment(row.Treatment)}, row.cells()...)
		for i, c := range cells {
			cells[i] = escaped(c)
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
	}
}

var markdown = strings.NewReplacer("|", `\|`, "<", "&lt;", "~", `\~`, "*", `\*`, "_", `\_`, "\n", " ")

func escaped(s string) string { return markdown.Replace(s) }
