package report

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"
	"virtscope/analysis/quantity"
	"virtscope/analysis/stats"
	"virtscope/results"
)

//go:embed report.html.tmpl
var files embed.FS

// A page is what the template shows: text, made elsewhere.
type page struct {
	Title, Name, Progress, Created string
	Columns                        []string
	Rows                           []pageRow
	Notes                          []string
	Few                            int
	Intervals                      []string
	Convergence                    [][]string
	Forecasts                      [][]string
	Figures                        []pageFigure
	Design                         [][2]string
	Trials                         []pageTrial
	Remarks                        []string
	Differences                    [][]string
	Packets                        [][]string
	PacketTitle, PacketNote        string
	Validity                       [][]string
	Facts                          [][3]string
	Spec                           string
	Run                            string
}

type pageRow struct {
	Name, Tally, Label string
	Cells              []pageCell
}

type pageCell struct{ Name, Median, Mark, Spread, Floor string }

type pageFigure struct {
	Title, Caption string
	SVG            template.HTML
	Wide           bool
}

type pageTrial struct {
	ID, Treatment, Verdict, Reason string
	Total                          string
	Bars                           []pageBar
	Rounds                         [][]string
	Why                            *pageWhy
	Wire, WireRounds, WirePages    [][]string
	WireNotes                      []string
	Outages                        [][]string
	Details                        []string
	Differs                        string
	Metrics                        [][]string
	Notes                          []string
	Open                           bool
}

type pageBar struct {
	Name, Length, Error, Color string
	Left, Width                string // % of the action
}

// WriteHTML writes the run as one HTML file that refers to nothing outside itself.
func WriteHTML(w io.Writer, r Run) error {
	t, err := template.ParseFS(files, "report.html.tmpl")
	if err != nil {
		return fmt.Errorf("write html report: %w", err)
	}
	p, err := newPage(r)
	if err != nil {
		return fmt.Errorf("write html report: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return fmt.Errorf("write html report: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

func newPage(r Run) (page, error) {
	m := r.Manifest
	p := page{
		Title: m.Question, Name: m.Name, Progress: r.progress(), Created: m.Created.Format(time.RFC3339),
		Few: fewTrials, Remarks: r.remarks(), Spec: r.Spec,
		Differences: r.differenceRows(), Run: m.Run,
		Packets: r.packetRows(), PacketTitle: packetTitle, PacketNote: packetNote,
	}
	if p.Title == "" {
		p.Title = m.Name
	}
	groups := r.groups()
	var foot notes
	columns := slices.Concat(always, extra(groups))
	for _, c := range columns {
		p.Columns = append(p.Columns, c.name())
	}
	for _, g := range groups {
		p.Rows = append(p.Rows, g.pageRow(columns, &foot))
		p.Intervals = append(p.Intervals, g.intervals()...)
		for _, t := range g.trials {
			p.Trials = append(p.Trials, t.page())
			p.Convergence = append(p.Convergence, t.convergenceRow())
			p.Forecasts = append(p.Forecasts, t.forecasts()...)
			p.Validity = append(p.Validity, t.validity())
		}
	}
	for i, text := range foot.list {
		p.Notes = append(p.Notes, superscript(i+1)+" "+text)
	}
	for _, f := range Figures(r) {
		var b bytes.Buffer
		if err := f.WriteSVG(&b); err != nil {
			return p, fmt.Errorf("draw %s: %w", f.Name, err)
		}
		p.Figures = append(p.Figures, pageFigure{f.Title, f.Caption, inline(b.String()), f.width > columnWidth})
	}
	p.Design = r.design()
	for _, f := range m.Facts {
		p.Facts = append(p.Facts, [3]string{f.Subject, f.Name, f.Value})
	}
	for _, t := range r.Trials {
		for _, f := range t.Outcome.Facts {
			p.Facts = append(p.Facts, [3]string{"trial " + t.Outcome.Trial.ID + ": " + f.Subject, f.Name, f.Value})
		}
	}
	return p, nil
}

// inline cuts what stands before the svg element. The text in it was escaped when it was drawn.
func inline(svg string) template.HTML {
	if i := strings.Index(svg, "<svg"); i >= 0 {
		svg = svg[i:]
	}
	return template.HTML(svg) //nolint:gosec // our own drawing
}

func (g group) pageRow(columns []column, foot *notes) pageRow {
	row := pageRow{Name: g.name, Tally: g.tally(), Label: g.spreadLabel()}
	for _, c := range columns {
		cell := g.cell(c.metric)
		pc := pageCell{Name: c.name(), Median: cell.Median, Mark: foot.mark(cell.Note), Spread: cell.Spread}
		if strings.HasPrefix(c.metric, "blackout.") {
			pc.Floor = g.floor(c.metric)
		}
		if row.Label != "" && pc.Spread == "" {
			pc.Spread = "\u00a0" // keeps the line, so that floors stay level
		}
		row.Cells = append(row.Cells, pc)
	}
	return row
}

// intervals are the confidence intervals of the medians, or why there are none.
func (g group) intervals() []string {
	var list []string
	for _, c := range always[:5] {
		s := g.summary(c.metric)
		i := s.MedianInterval
		if !i.Known {
			if s.Known > 0 {
				return append(list, fmt.Sprintf("%s: no interval of a median: %s", g.name, i.Why))
			}
			continue
		}
		show := func(e stats.Estimate) string {
			text := quantity.Scaled(e.Value, e.Value/500, results.Seconds)
			if e.AtLeast {
				return "≥ " + text
			}
			return text
		}
		list = append(list, fmt.Sprintf("%s, %s: median in [%s, %s] (%.1f %% confidence, order statistics, n = %d)",
			g.name, c.name(), show(i.Low), show(i.High), i.Confidence*100, s.Known))
	}
	return list
}

func (r Run) design() [][2]string {
	m := r.Manifest
	list := [][2]string{{"experiment", m.Name}, {"run", m.Run}, {"trials", r.progress()}, {"seed of the order", fmt.Sprint(m.Seed)}}
	for _, f := range m.Factors {
		list = append(list, [2]string{"factor " + f.Path, strings.Join(f.Levels, ", ")})
	}
	var order []string
	for _, t := range r.Trials {
		order = append(order, t.Outcome.Trial.ID)
	}
	if len(order) > 0 {
		list = append(list, [2]string{"order", strings.Join(order, " → ")})
	}
	return append(list, [2]string{"virtscope", strings.TrimSpace(m.Tool.Version + " " + m.Tool.Revision + " " + m.Tool.Go)},
		[2]string{"SHA-256 of the experiment", m.SpecHash})
}
