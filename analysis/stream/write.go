package stream

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"virtscope/analysis/quantity"
	"virtscope/analysis/text"
	"virtscope/results"
)

// Write prints a capture for a terminal, at most 120 columns wide but for what the capture itself names at greater length.
func Write(w io.Writer, c *Capture) error {
	var b bytes.Buffer
	apart := func() {
		if b.Len() > 0 {
			b.WriteString("\n")
		}
	}
	for i := range c.Migrations {
		apart()
		writeMigration(&b, &c.Migrations[i])
	}
	for i := range c.Mirrors {
		apart()
		writeMirror(&b, &c.Mirrors[i], c.origin(Guest{}))
	}
	for _, g := range c.Guests {
		apart()
		writeGuest(&b, g, c.origin(g))
	}
	for _, n := range c.Notes {
		text.Wrapped(&b, "", n)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func writeMigration(b *bytes.Buffer, m *Migration) {
	text.Wrapped(b, "", m.headline())
	fmt.Fprintf(b, "first packet %s, %s of wall time\n", clock(m.Begin.Time), quantity.Show(m.Wall))
	if m.Memory.Known {
		plural := "s"
		if len(m.Blocks) == 1 {
			plural = ""
		}
		fmt.Fprintf(b, "guest memory %s in %d block%s", quantity.Show(m.Memory), len(m.Blocks), plural)
		if m.PageSize.Known {
			fmt.Fprintf(b, ", pages of %s", quantity.Show(m.PageSize))
		}
		b.WriteString("\n")
	}
	writePhases(b, m)
	fmt.Fprintf(b, "\ndowntime on the wire, from the guest's stop to its start: %s%s\n", quantity.Show(m.Downtime), m.guessed())
	if bounds := quantity.ShowBounds(m.Downtime); bounds != "" {
		fmt.Fprintf(b, "  truth within %s\n", bounds)
	}
	if m.Downtime.Why != "" {
		text.Wrapped(b, "  ", m.Downtime.Why)
	}
	writeRounds(b, m)
	writeTotals(b, m)
	writeChannels(b, m)
	writeDevices(b, m)
	writePostCopy(b, m.PostCopy)
	writeDamage(b, m.Damage, m.Begin.Time)
	text.List(b, "notes", m.Notes)
}

// headline is what a migration is, in a sentence.
func (m *Migration) headline() string {
	parts := []string{fmt.Sprintf("migration %s: %s", m.Stream, m.Format)}
	if m.Machine != "" {
		parts = append(parts, "machine "+m.Machine)
	}
	if m.Client != "" || m.Server != "" {
		parts = append(parts, text.Dash(m.Client)+" → "+text.Dash(m.Server))
	}
	for _, name := range slices.Sorted(maps.Keys(m.Options)) {
		if v := m.Options[name]; v != "true" {
			name += " " + v
		}
		parts = append(parts, name)
	}
	return strings.Join(append(parts, m.ending()), ", ")
}

// ending says how a migration ended.
func (m *Migration) ending() string {
	before := ""
	if m.Format == "qemu" { // else nobody could read its end mark
		before = " before its end mark"
	}
	switch m.How {
	case HowComplete:
		return "complete"
	case HowFin:
		return "the connection was closed" + before
	case HowReset:
		return "the connection was reset" + before
	case HowCut:
		return "cut off by the end of the capture"
	case "":
		return "its end was not recorded"
	}
	return m.How
}

func clock(ns int64) string { return time.Unix(0, ns).UTC().Format("2006-01-02 15:04:05.000000 UTC") }

// since writes an instant in s after an origin.
func since(ns, origin int64) string {
	return strings.Replace(fmt.Sprintf("%.4f", seconds(ns-origin)), "-", "−", 1)
}

// slack writes how far the truth may be from a moment: "± 2 ms", "−3 ms +0"; "" if it is exact.
func (m Moment) slack() string {
	less, more := seconds(m.Time-m.Earliest), seconds(m.Latest-m.Time)
	switch {
	case less == 0 && more == 0:
		return ""
	case less == more:
		return "± " + short(less)
	}
	return "−" + short(less) + " +" + short(more)
}

// short writes an error of s with two digits.
func short(s float64) string {
	if s == 0 {
		return "0"
	}
	return quantity.Bound(s, s/10, results.Seconds, quantity.Up)
}

func writePhases(b *bytes.Buffer, m *Migration) {
	b.WriteString("\nstages, in s since the first packet\n")
	rows := [][]string{{"  stage", "begins", "within", "lasted", ""}}
	mark := func(name string, inferred bool) string {
		if inferred {
			name += " (inferred)"
		}
		return "  " + name
	}
	for _, p := range m.Phases {
		rows = append(rows, []string{
			mark(p.Name, p.Begin.Inferred && p.Name != Unattributed), since(p.Begin.Time, m.Begin.Time), p.Begin.slack(), quantity.Cell(p.Duration),
			text.Bar(m.Begin.Time, m.End.Time, p.Begin.Time, p.End.Time),
		})
	}
	for _, s := range m.Stages {
		if !slices.ContainsFunc(m.Phases, func(p Phase) bool { return p.Name == s.Name }) {
			rows = append(rows, []string{mark(s.Name, s.Begin.Inferred), since(s.Begin.Time, m.Begin.Time), s.Begin.slack(), "", ""})
		}
	}
	text.Aligned(b, rows)
	if run := m.evidence(); run != "" {
		fmt.Fprintf(b, "  that the guest runs at the destination was told from: %s\n", run)
	}
}

// guessed marks a downtime of which an edge is inferred.
func (m *Migration) guessed() string {
	for _, name := range []string{results.StageStopCopy, results.StageRunning} {
		if s := m.stage(name); m.Downtime.Known && s != nil && s.Inferred {
			return " (inferred)"
		}
	}
	return ""
}

func (m *Migration) evidence() string {
	for _, s := range m.Stages {
		if s.Name == results.StageRunning {
			return s.From
		}
	}
	return ""
}

// kinds lists the kinds of pages that occurred, in their order.
func (m *Migration) kinds() []string {
	var list []string
	for _, kind := range Kinds {
		if _, ok := m.Pages[kind]; ok || slices.ContainsFunc(m.Rounds, func(r Round) bool { _, ok := r.Pages[kind]; return ok }) {
			list = append(list, kind)
		}
	}
	return list
}

// fewKinds is how many kinds of pages leave room for the rate of pages.
const fewKinds = 3

func writeRounds(b *bytes.Buffer, m *Migration) {
	if len(m.Rounds) == 0 {
		return
	}
	kinds := m.kinds()
	b.WriteString("\nrounds: page records by kind, pages that were dirtied again, and the distinct pages' size\n")
	head := append([]string{"  round", "begins", "within", "lasted"}, kinds...)
	head = append(head, "again", "working set", "on the wire", "rate")
	if len(kinds) <= fewKinds {
		head = append(head, "pages/s")
	}
	rows := [][]string{head}
	var whys []string
	cell := func(show func(quantity.Quantity) string, q quantity.Quantity) string {
		if !q.Known && !slices.Contains(whys, q.Why) {
			whys = append(whys, q.Why)
		}
		return show(q)
	}
	for _, r := range m.Rounds {
		row := []string{fmt.Sprintf("  %d", r.N) + final(r), since(r.Begin.Time, m.Begin.Time), r.Begin.slack(), cell(quantity.Cell, r.Duration)}
		for _, kind := range kinds {
			row = append(row, cell(quantity.Count, r.Count(kind)))
		}
		row = append(row, cell(quantity.Count, r.Resent), cell(quantity.Cell, r.WorkingSet), cell(quantity.Cell, r.Bytes), cell(quantity.Cell, r.Rate))
		if len(kinds) <= fewKinds {
			row = append(row, quantity.Count(rounded(r.PageRate)))
		}
		rows = append(rows, row)
	}
	text.Aligned(b, rows)
	for _, why := range whys {
		text.Wrapped(b, "  — ", why)
	}
}

// final marks rounds in which the guest does not run at the source.
func final(r Round) string {
	switch r.How {
	case HowStart, HowAgain, "":
		return ""
	case HowFinal:
		return " stopped"
	}
	return " " + r.How
}
