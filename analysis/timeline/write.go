package timeline

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// barWidth is the width of a bar in characters.
const barWidth = 32

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
	writeOutages(&b, t)
	writeMetrics(&b, t)
	var differ []string
	for _, d := range t.Disagreements {
		differ = append(differ, d.String())
	}
	writeList(&b, "views of the outage that differ by more than their bounds and noise explain", differ)
	writeList(&b, "warnings", t.Warnings)
	writeList(&b, "missing", t.Missing)
	writeList(&b, "notes", t.Notes)
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
	title := fmt.Sprintf("%s, from %s to %s: %s", orUnknown(t.Action), orUnknown(t.Source), orUnknown(t.Destination),
		span(Span{Start: t.ActionBegin, End: t.ActionEnd}))
	writeSpans(b, title, t.ActionBegin, t.ActionEnd, t.Phases)
	if len(t.Marks) == 0 {
		return
	}
	b.WriteString("\nevents of the hypervisors, since the action began\n")
	tw := table(b)
	for i, m := range t.Marks {
		if i == 60 {
			fmt.Fprintf(tw, "  …\t%d more\n", len(t.Marks)-i)
			break
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\n", showDuration(seconds(m.Edge.Time-t.ActionBegin.Time)), m.Edge.Host, m.Text)
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
func span(s Span) string { return Show(between(s.Start, s.End)) }

func writeSpans(b *bytes.Buffer, title string, begin, end Edge, spans []Span) {
	fmt.Fprintf(b, "\n%s\n", title)
	tw := table(b)
	for _, s := range spans {
		slack := s.Start.Bound() + s.End.Bound()
		if s.Start.Host == s.End.Host {
			slack = s.Start.Stamp + s.End.Stamp
		}
		fmt.Fprintf(tw, "  %s\t%s\t± %v\t%s\n", s.Name, showDuration(s.Duration().Seconds()), slack, bar(begin, end, s))
	}
	_ = tw.Flush() // into memory
}

// bar draws where s lies between begin and end.
func bar(begin, end Edge, s Span) string {
	whole := end.Time - begin.Time
	if whole <= 0 {
		return ""
	}
	column := func(t int64) int {
		return int(float64(t-begin.Time) / float64(whole) * barWidth)
	}
	from, to := column(s.Start.Time), column(s.End.Time)
	from = min(from, barWidth-1)
	to = max(to, from+1)
	return strings.Repeat("·", from) + strings.Repeat("█", to-from) + strings.Repeat("·", barWidth-to)
}

func writeRounds(b *bytes.Buffer, t *Timeline) {
	if len(t.Rounds) == 0 {
		return
	}
	b.WriteString("\nrounds: payload at the switch; what the hypervisor says it sent, had left, and saw dirtied\n")
	tw := table(b)
	fmt.Fprintln(tw, "  round\tduration\tbytes\trate\thypervisor sent\tleft at begin\tdirtied")
	var whys []string
	cell := func(q Quantity) string {
		if !q.Known {
			whys = appendNew(whys, q.Why)
			return "—"
		}
		return Show(q)
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
	tw := table(b)
	fmt.Fprintln(tw, "  view\toutage\ttruth within\traw gap\tnoise floor")
	for _, o := range t.Outages {
		floor := "—"
		if o.Floor.Known {
			floor = fmt.Sprintf("%s in %s", Show(o.Floor), showDuration(o.FloorLength))
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%s\n", o.Name, Show(o.Quantity), orDash(ShowBounds(o.Quantity)), known(o.Raw), floor)
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

func known(q Quantity) string {
	if !q.Known {
		return "—"
	}
	return Show(q)
}

func orDash(s string) string {
	if s == "" {
		return "—"
	}
	return s
}

// writeMetrics prints the metrics that are no outage.
func writeMetrics(b *bytes.Buffer, t *Timeline) {
	b.WriteString("\nmetrics\n")
	tw := table(b)
	for _, m := range t.Metrics {
		if strings.HasPrefix(m.Name, "blackout.") || strings.HasPrefix(m.Name, Downtime) {
			continue
		}
		note := ShowBounds(m.Quantity)
		if !m.Known || m.Censored {
			note = m.Why
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\n", m.Name, Show(m.Quantity), note)
	}
	_ = tw.Flush() // into memory
}

func writeList(b *bytes.Buffer, title string, list []string) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", title)
	for _, s := range list {
		fmt.Fprintf(b, "  - %s\n", s)
	}
}

func appendNew(list []string, s string) []string {
	for _, have := range list {
		if have == s {
			return list
		}
	}
	return append(list, s)
}

func table(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 4, 2, ' ', 0) }
