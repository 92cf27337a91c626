package timeline

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"virtscope/analysis/quantity"
	"virtscope/analysis/text"
)

// Write prints the timeline for a terminal, about 110 columns wide.
func Write(w io.Writer, t *Timeline) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "trial %s: %s", t.Trial.ID, t.Verdict)
	if t.Reason != "" {
		fmt.Fprintf(&b, ": %s", t.Reason)
	}
	fmt.Fprintf(&b, "\ntreatment %s, replicate %d, place %d in the order\n", orNone(t.Trial.Treatment), t.Trial.Replicate, t.Trial.Order)
	writeSpans(&b, fmt.Sprintf("states: %s of wall time", span(Span{Start: t.Begin, End: t.End})), t.Begin, t.End, t.States)
	writeAction(&b, t)
	writeRounds(&b, t)
	if t.Convergence != nil {
		t.Convergence.Write(&b)
	}
	if t.Migrates() {
		writeWire(&b, t)
	}
	for _, s := range t.Sections() {
		s.Write(&b)
	}
	if t.Migrates() || len(t.Outages) > 0 {
		writeOutages(&b, t)
	}
	writeServices(&b, t)
	writeDisk(&b, t)
	writeMetrics(&b, t)
	var differ []string
	for _, d := range t.Disagreements {
		differ = append(differ, d.String())
	}
	text.List(&b, "views of the outage that differ by more than their bounds and noise explain", differ)
	text.List(&b, "warnings", t.Warnings)
	text.List(&b, "not settled", t.Unsettled)
	text.List(&b, "missing", t.Missing)
	text.List(&b, "notes", t.Notes)
	_, err := w.Write(b.Bytes())
	return err
}

func orNone(s string) string {
	if s == "" {
		return "(the only one)"
	}
	return s
}

func writeAction(b *bytes.Buffer, t *Timeline) {
	if t.Action == "" && len(t.Phases) == 0 {
		b.WriteString("\naction: it did not begin\n")
		return
	}
	action := orUnknown(t.Action)
	if t.Algorithm != "" {
		action += " by " + t.Algorithm
	}
	if !t.Migrates() {
		writeSpans(b, fmt.Sprintf("%s: %s", action, span(Span{Start: t.ActionBegin, End: t.ActionEnd})), t.ActionBegin, t.ActionEnd, t.Phases)
		return
	}
	title := fmt.Sprintf("%s, from %s to %s: %s", action, orUnknown(t.Source), orUnknown(t.Destination),
		span(Span{Start: t.ActionBegin, End: t.ActionEnd}))
	writeSpans(b, title, t.ActionBegin, t.ActionEnd, t.Phases)
	if len(t.Marks) == 0 {
		return
	}
	b.WriteString("\nevents of the hypervisors, and what was done on purpose, since the action began\n")
	tw := text.Table(b)
	for i, m := range t.Marks {
		if i == 60 {
			fmt.Fprintf(tw, "  …\t%d more\n", len(t.Marks)-i)
			break
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\n", quantity.Duration(seconds(m.Edge.Time-t.ActionBegin.Time)), m.Edge.Host, m.Text)
	}
	_ = tw.Flush() // into memory
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// span writes a span's length with its error.
func span(s Span) string { return quantity.Show(between(s.Start, s.End)) }

func writeSpans(b *bytes.Buffer, title string, begin, end Edge, spans []Span) {
	fmt.Fprintf(b, "\n%s\n", title)
	tw := text.Table(b)
	for _, s := range spans {
		slack := s.Start.Bound() + s.End.Bound()
		if s.Start.Host == s.End.Host {
			slack = s.Start.Stamp + s.End.Stamp + s.Start.Early + s.End.Early
		}
		if s.Start.Early > 0 || s.End.Early > 0 {
			slack = quantity.RoundUp(slack, 10*time.Microsecond)
		}
		fmt.Fprintf(tw, "  %s\t%s\t± %v\t%s\n", s.Name, quantity.Duration(s.Duration().Seconds()), slack, text.Bar(begin.Time, end.Time, s.Start.Time, s.End.Time))
	}
	_ = tw.Flush() // into memory
}

func writeRounds(b *bytes.Buffer, t *Timeline) {
	if len(t.Rounds) == 0 {
		return
	}
	b.WriteString("\nrounds: payload at the switch; what the hypervisor says it sent, had left, and saw dirtied\n")
	tw := text.Table(b)
	fmt.Fprintln(tw, "  round\tduration\tbytes\trate\thypervisor sent\tleft at begin\tdirtied")
	var whys []string
	cell := func(q quantity.Quantity) string {
		if !q.Known {
			if !slices.Contains(whys, q.Why) {
				whys = append(whys, q.Why)
			}
		}
		return quantity.Cell(q)
	}
	for _, r := range t.Rounds {
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, cell(r.Duration), cell(r.Bytes), cell(r.LinkRate),
			cell(r.Transferred), cell(r.Remaining), cell(r.DirtyRate))
	}
	_ = tw.Flush() // into memory
	for _, why := range whys {
		fmt.Fprintf(b, "  — %s\n", why)
	}
}

func writeOutages(b *bytes.Buffer, t *Timeline) {
	b.WriteString("\noutage, as each observer saw it\n")
	tw := text.Table(b)
	fmt.Fprintln(tw, "  view\toutage\ttruth within\traw gap\tnoise floor")
	for _, o := range t.Outages {
		floor := "—"
		if o.Floor.Known {
			floor = fmt.Sprintf("%s in %s", quantity.Show(o.Floor), quantity.Duration(o.FloorLength))
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%s\n", o.Name, quantity.Show(o.Quantity), text.Dash(quantity.ShowBounds(o.Quantity)), quantity.Cell(o.Raw), floor)
	}
	_ = tw.Flush() // into memory
	for _, o := range t.Outages {
		if o.Why != "" {
			fmt.Fprintf(b, "  %s: %s\n", o.Name, o.Why)
		}
		for _, d := range o.Detail {
			fmt.Fprintf(b, "  %s: %s\n", o.Name, d)
		}
	}
}

// writeMetrics prints the metrics that stand in no section of their own. Those that are unknown for one and the same reason
// stand together beneath.
func writeMetrics(b *bytes.Buffer, t *Timeline) {
	b.WriteString("\nmetrics\n")
	listed, folded := FoldMetrics(slices.DeleteFunc(slices.Clone(t.Metrics), func(m Metric) bool {
		return strings.HasPrefix(m.Name, "blackout.") || strings.HasPrefix(m.Name, "wire.") || strings.HasPrefix(m.Name, Downtime)
	}))
	tw := text.Table(b)
	for _, row := range listed {
		fmt.Fprintf(tw, "  %s\t%s\t%s\n", row[0], row[1], row[2])
	}
	_ = tw.Flush() // into memory
	for _, n := range folded {
		text.Wrapped(b, "  unknown: ", n)
	}
}

// FoldMetrics writes metrics: name, value, and bounds or why it is not known. Those that share the reason for which they are
// unknown are told together.
func FoldMetrics(metrics []Metric) (rows [][]string, folded []string) {
	var unknown whys
	for _, m := range metrics {
		if !m.Known {
			unknown.add(m.Name, m.Quantity)
		}
	}
	for _, m := range metrics {
		note := quantity.ShowBounds(m.Quantity)
		switch {
		case !m.Known && unknown.of(m.Quantity) > 1:
			continue
		case !m.Known || m.Censored:
			note = m.Why
		}
		rows = append(rows, []string{m.Name, quantity.Show(m.Quantity), note})
	}
	for _, w := range unknown {
		if len(w.names) > 1 {
			folded = append(folded, w.String())
		}
	}
	return rows, folded
}
