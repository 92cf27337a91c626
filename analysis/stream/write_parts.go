package stream

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"virtscope/analysis/quantity"
	"virtscope/analysis/text"
	"virtscope/results"
)

// rounded is a rate without decimals, which no count supports.
func rounded(q quantity.Quantity) quantity.Quantity {
	round := math.Round
	if q.Censored {
		round = math.Floor
	}
	q.Value = round(q.Value)
	q.Low, q.High = q.Value, q.Value
	return q
}

func writeTotals(b *bytes.Buffer, m *Migration) {
	kinds := m.kinds()
	if len(kinds) == 0 && !m.Syncs.Known {
		return
	}
	b.WriteString("\ntotals\n")
	rows := [][]string{{"  pages", "records", "bytes on the wire"}}
	for _, kind := range kinds {
		size, ok := m.PageBytes[kind]
		if !ok {
			size = quantity.Unknown(results.Bytes, "")
		}
		rows = append(rows, []string{"  " + kind, quantity.Count(m.Pages.Of(kind)), quantity.Cell(size)})
	}
	rows = append(rows, []string{"  all", quantity.Count(m.Total), quantity.Cell(m.Bytes)})
	text.Aligned(b, rows)
	fmt.Fprintf(b, "  dirty bitmap synchronisations: %s\n", quantity.Count(m.Syncs))
}

func writeChannels(b *bytes.Buffer, m *Migration) {
	if len(m.Channels) == 0 {
		return
	}
	b.WriteString("\nconnections: TCP payload\n")
	rows := [][]string{{"  channel", "dir", "passed", "again", "missing", "not decoded", "out of order"}}
	for _, c := range m.Channels {
		for _, d := range []struct {
			name string
			d    Direction
		}{{"→", c.Forward}, {"←", c.Reverse}} {
			if !d.d.Bytes.Known && !d.d.Missing.Known {
				continue
			}
			rows = append(rows, []string{
				"  " + c.Name, d.name, quantity.Cell(d.d.Bytes), quantity.Cell(d.d.Resent), quantity.Cell(d.d.Missing),
				quantity.Cell(d.d.Undecoded), quantity.Count(d.d.Reordered),
			})
		}
	}
	text.Aligned(b, rows)
}

// mostDevices is how many devices are printed: the largest.
const mostDevices = 8

func writeDevices(b *bytes.Buffer, m *Migration) {
	if len(m.Devices) == 0 {
		return
	}
	var all float64
	for _, d := range m.Devices {
		all += d.Bytes.Value
	}
	least, side := "", quantity.Nearest
	if len(m.Damage) > 0 { // a device whose section was not found is in no sum
		least, side = "≥ ", quantity.Down
	}
	fmt.Fprintf(b, "\ndevice state: %s%s of %s%d devices\n", least, quantity.Bound(all, 0, results.Bytes, side), least, len(m.Devices))
	rows := [][]string{}
	for i, d := range m.Devices {
		if i == mostDevices {
			var rest float64
			for _, d := range m.Devices[i:] {
				rest += d.Bytes.Value
			}
			rows = append(rows, []string{fmt.Sprintf("  %d more", len(m.Devices)-i), quantity.Scaled(rest, 0, results.Bytes)})
			break
		}
		name := "  " + d.Name
		if d.Instance != "" && d.Instance != "0" {
			name += " " + d.Instance
		}
		rows = append(rows, []string{name, quantity.Cell(d.Bytes)})
	}
	text.Aligned(b, rows)
}

func writePostCopy(b *bytes.Buffer, p *PostCopy) {
	if p == nil {
		return
	}
	fmt.Fprintf(b, "\npost-copy: %s pages were asked for", quantity.Count(p.Requests))
	for _, a := range []struct{ answer, words string }{
		{"sent", "were sent"}, {"crossed", "were on their way"}, {"repeated", "had been asked for"}, {"none", "never came"}, {"unknown", "were not followed"},
	} {
		if q, ok := p.Answers[a.answer]; ok && q.Value > 0 {
			fmt.Fprintf(b, ", %s %s", quantity.Count(q), a.words)
		}
	}
	b.WriteString("\n")
	if len(p.Faults) == 0 {
		return
	}
	head, row := []string{"  request to last byte"}, []string{"  "}
	for _, stat := range []string{"count", "min", "p50", "p90", "p99", "max", "mean"} {
		q, ok := p.Faults[stat]
		if !ok {
			continue
		}
		head = append(head, stat)
		if stat == "count" {
			row = append(row, quantity.Count(q))
			continue
		}
		row = append(row, quantity.Brief(q))
	}
	text.Aligned(b, [][]string{head, row})
}

// mostDamage is how many places of damage are printed.
const mostDamage = 12

func writeDamage(b *bytes.Buffer, list []Damage, origin int64) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "\nwhere the stream could not be read\n")
	for i, d := range list {
		if i == mostDamage {
			fmt.Fprintf(b, "  … %d more\n", len(list)-i)
			return
		}
		what := d.Detail
		if d.Resync {
			what = fmt.Sprintf("it goes on after %s that were not understood", quantity.Scaled(float64(d.Skipped), 0, results.Bytes))
		}
		text.Wrapped(b, "  ", fmt.Sprintf("%s s, %s %s, byte %d, packet %d: %s", since(d.Time, origin), d.Channel, d.Dir, d.Offset, d.Packet, what))
	}
}

// origin is what times of a guest are counted from: the first packet of the first migration, or its own first sign.
func (c *Capture) origin(g Guest) int64 {
	if len(c.Migrations) > 0 {
		return c.Migrations[0].Begin.Time
	}
	if len(c.Mirrors) > 0 {
		return c.Mirrors[0].Begin.Time
	}
	first := int64(math.MaxInt64)
	if len(g.Announced) > 0 {
		first = g.Announced[0].Time
	}
	if g.Last != nil {
		first = min(first, g.Last.Time)
	}
	if first == math.MaxInt64 {
		return 0
	}
	return first
}

func writeGuest(b *bytes.Buffer, g Guest, origin int64) {
	fmt.Fprintf(b, "guest %s (%s): outage as its frames show it, in s since the first packet\n", g.MAC, text.Dash(g.How))
	tw := text.Table(b)
	line := func(cells ...string) { fmt.Fprintf(tw, "  %s\n", strings.Join(cells, "\t")) }
	seen := func(s *Sighting) string {
		if s == nil {
			return "—"
		}
		return since(s.Time, origin) + behind(s.Port)
	}
	spell := func(s *Silence) string {
		if s == nil {
			return ""
		}
		if s.Port == s.Next {
			return fmt.Sprintf("from %s to %s%s", since(s.From, origin), since(s.To, origin), behind(s.Port))
		}
		return fmt.Sprintf("from %s%s to %s%s", since(s.From, origin), behind(s.Port), since(s.To, origin), behind(s.Next))
	}
	line("silence around the switch-over", quantity.Cell(g.Outage), orWhy(spell(g.Around), g.Outage))
	line("longest elsewhere: noise floor", quantity.Cell(g.Floor), orWhy(spell(g.Elsewhere), g.Floor))
	if g.Relearning.Known {
		line("switch relearned after", quantity.Cell(g.Relearning), quantity.Count(g.Stale)+" frames still went to the old port")
	}
	counts := map[string]int{}
	for _, a := range g.Announced {
		counts[a.Kind]++
	}
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		i := slices.IndexFunc(g.Announced, func(a Announcement) bool { return a.Kind == kind })
		line("announced by "+strings.ToUpper(kind), fmt.Sprint(counts[kind]), "first at "+since(g.Announced[i].Time, origin)+behind(g.Announced[i].Port))
	}
	if g.Last != nil || g.First != nil {
		line("last frame behind the old port", seen(g.Last))
		line("first frame behind the new port", seen(g.First))
	}
	_ = tw.Flush() // into memory
	text.List(b, "notes", g.Notes)
}

func orWhy(s string, q quantity.Quantity) string {
	if s == "" {
		return q.Why
	}
	return s
}

// behind names a port behind a time.
func behind(port string) string {
	if port == "" {
		return ""
	}
	return " at " + port
}
