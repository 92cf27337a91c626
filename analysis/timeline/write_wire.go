package timeline

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"virtscope/analysis/quantity"
	"virtscope/analysis/text"
	"virtscope/results"
)

// Verdict says in a word whether the packets bear out the hypervisor.
func (c Comparison) Verdict() string {
	switch {
	case !c.Judged:
		return "not judged"
	case c.Agrees && c.Difference.Censored:
		return "lower bound"
	case c.Agrees && c.Difference.Low < c.Difference.High:
		return "within bounds"
	case c.Agrees:
		return "agrees"
	}
	return "differs"
}

// Cells are the texts of a comparison: what it is, the packets' figure, the hypervisor's, the difference, its bounds, and the
// verdict.
func (c Comparison) Cells() []string {
	return []string{
		c.Name, quantity.Full(c.Wire), quantity.Full(c.Hypervisor), quantity.Signed(c.Difference), text.Dash(quantity.ShowBounds(c.Difference)), c.Verdict(),
	}
}

// RoundCells are the texts of a round's comparisons: the round, its synchronisation's number, by how much later the packets show
// its begin and within which bounds; then pages and bytes, each as packets show them and less what the hypervisor's counters say.
func (r RoundComparison) RoundCells() []string {
	name := fmt.Sprint(r.N)
	if r.How == "final" {
		name += " stopped"
	}
	pass := "—"
	if r.Pass > 0 {
		pass = fmt.Sprint(r.Pass)
	}
	return []string{
		name, pass, quantity.Signed(r.Begin.Difference), text.Dash(quantity.ShowBounds(r.Begin.Difference)), r.Begin.Verdict(),
		quantity.Full(r.Pages.Wire), difference(r.Pages), quantity.Full(r.Bytes.Wire), difference(r.Bytes),
	}
}

// difference writes a difference with its interval, if it has one: counters that are asked for at a round's edge answer late.
func difference(c Comparison) string {
	return strings.TrimSpace(quantity.Signed(c.Difference) + " " + quantity.ShowBounds(c.Difference))
}

func writeWire(b *bytes.Buffer, t *Timeline) {
	if t.Wire == nil {
		if t.WireMissing != "" {
			fmt.Fprintf(b, "\non the wire: %s\n", t.WireMissing)
		}
		return
	}
	b.WriteString("\non the wire, against the hypervisor's counters and events (times in s since the request)\n")
	rows := [][]string{{"  ", "packets", "hypervisor", "difference", "bounds", ""}}
	var notes []string
	why := func(q quantity.Quantity) {
		if !q.Known && !slices.Contains(notes, q.Why) {
			notes = append(notes, q.Why)
		}
	}
	for _, c := range t.Comparisons {
		row := c.Cells()
		if c.Name == CompareStop || c.Name == CompareResume {
			row[1], row[2] = instant(c.Wire), instant(c.Hypervisor)
		}
		row[0] = "  " + row[0]
		rows = append(rows, row)
		why(c.Difference)
		if c.Note != "" {
			notes = append(notes, c.Name+": "+c.Note)
		}
	}
	text.Aligned(b, rows)
	if len(t.RoundComparisons) > 0 {
		b.WriteString("  rounds: their begin less the synchronisation's event; pages (whole and zero) and bytes less the counters' growth\n")
		rows = [][]string{{"  round", "sync", "begin", "bounds", "", "pages", "less counted", "bytes", "less counted"}}
		for _, r := range t.RoundComparisons {
			row := r.RoundCells()
			row[0] = "  " + row[0]
			rows = append(rows, row)
			why(r.Pages.Difference)
			why(r.Bytes.Difference)
		}
		text.Aligned(b, rows)
	}
	for _, n := range notes {
		text.Wrapped(b, "  — ", n)
	}
}

// instant writes a time in s to the µs, which a packet's stamp bears.
func instant(q quantity.Quantity) string {
	if !q.Known || q.Unit != results.Seconds {
		return "—"
	}
	if q.Censored {
		return "≥ " + quantity.Fixed(q.Value, 1, 6, quantity.Down) + " s"
	}
	return fmt.Sprintf("%.6f s", q.Value)
}
