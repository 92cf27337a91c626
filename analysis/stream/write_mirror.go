package stream

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"virtscope/analysis/quantity"
	"virtscope/analysis/text"
)

func writeMirror(b *bytes.Buffer, m *Mirror, origin int64) {
	head := fmt.Sprintf("storage mirror %s: NBD", m.Stream)
	if m.Export != "" {
		head += fmt.Sprintf(", export %q", m.Export)
	}
	if m.Size.Known {
		head += " of " + quantity.Show(m.Size)
	}
	if m.Client != "" || m.Server != "" {
		head += ", " + text.Dash(m.Client) + " → " + text.Dash(m.Server)
	}
	text.Wrapped(b, "", head+", "+mirrorEnding(m.How))
	if m.First != nil && m.Last != nil {
		fmt.Fprintf(b, "  written from %s%s to %s%s s since the first packet\n", since(m.First.Time, origin), brackets(m.First.slack()), since(m.Last.Time, origin), brackets(m.Last.slack()))
	}
	if len(m.Commands) > 0 {
		rows := [][]string{{"  command", "requests", "bytes", "p50", "p99", "max", "not answered"}}
		for _, c := range m.Commands {
			late := func(stat string) string {
				if q, ok := c.Latency[stat]; ok {
					return quantity.Brief(q)
				}
				return "—"
			}
			rows = append(rows, []string{
				"  " + c.Command, quantity.Count(c.Requests), quantity.Cell(c.Bytes), late("p50"), late("p99"), late("max"), quantity.Count(c.Unanswered),
			})
		}
		text.Aligned(b, rows)
	}
	if m.Distinct.Known {
		fmt.Fprintf(b, "  %s of sectors were changed; again %s, of which the guest had written %s\n", quantity.Show(m.Distinct), quantity.Show(m.Again), quantity.Show(m.Dirtied))
	}
	for _, c := range m.Commands {
		var refused []string
		for _, name := range slices.Sorted(maps.Keys(c.Errors)) {
			refused = append(refused, quantity.Count(c.Errors[name])+" × "+name)
		}
		if len(refused) > 0 {
			fmt.Fprintf(b, "  %s was refused: %s\n", c.Command, strings.Join(refused, ", "))
		}
	}
	writeDamage(b, m.Damage, origin)
	text.List(b, "notes", m.Notes)
}

func brackets(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

func mirrorEnding(how string) string {
	switch how {
	case "disconnect":
		return "disconnected"
	case HowFin:
		return "closed"
	case HowReset:
		return "reset"
	case HowCut:
		return "cut off by the end of the capture"
	}
	return "its end was not recorded"
}
