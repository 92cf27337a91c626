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
	"virtscope/analysis/published"
	"virtscope/analysis/quantity"
	"virtscope/analysis/text"
	"virtscope/analysis/timeline"
	"virtscope/analysis/validity"
	"virtscope/results"
)

//go:embed report.html.tmpl
var files embed.FS

// A page is what the template shows: text, made elsewhere.
type page struct {
	Title, Name, Progress, Created string
	Tables                         []pageTable
	Notes                          []string
	Few                            int
	FourViews                      bool
	TypicalTitle                   string
	Intervals                      []string
	Convergence                    [][]string
	Forecasts                      [][]string
	Figures                        []pageFigure
	Folds                          []pageFold
	NotDrawn                       string
	Design                         [][2]string
	Trials                         []pageTrial
	Remarks                        []string
	Differences                    [][]string
	Packets                        [][]string
	PacketTitle, PacketNote        string
	ValidityHead                   []template.HTML
	Validity                       [][]string
	Sequential                     [][]string
	SequentialTitle                string
	ValidityParts                  []validity.Part
	Facts                          [][3]string
	Spec                           string
	Run                            string
	State                          []string
	Answer                         answer
	Paper                          published.Table
	Lazy                           bool   // trials are built when they are opened
	Thinned                        string // what was left out of series
	Library, Viewer, Script        template.JS
	LibraryCSS                     template.CSS
}

type pageTable struct {
	Title, Note string
	Pivots      []pagePivot // each metric by two factors; the table is then folded
	Columns     []string
	Rows        []pageRow
}

type pageRow struct {
	Name, Tally, Label string
	Floors             bool
	Cells              []pageCell
}

type pageCell struct{ Name, Median, Mark, Spread, Floor string }

type pageFigure struct {
	Title, Caption string
	SVG            template.HTML
	Wide           bool
}

// A pageFold is figures that are shown when they are asked for.
type pageFold struct {
	Title   string
	Open    bool
	Figures []pageFigure
}

type pageTrial struct {
	ID, Treatment, Verdict, Reason string
	TotalName, Total               string
	Bars                           []pageBar
	Rounds                         [][]string
	Why                            *pageWhy
	Wire, WireRounds, WirePages    [][]string
	WireNotes                      []string
	Outages                        [][]string
	Details                        []string
	Differs                        string
	Services                       []timeline.ServiceText
	Disk                           *timeline.DiskText
	Sections                       []text.Section
	Metrics                        [][]string
	Unknown                        []string
	Notes                          []string
	Open                           bool
	HasSeries                      bool
	Data                           string // the series, packed, in base64
	Packed                         string // the section, compressed, where there are many; "" if it is there as it is
}

type pageBar struct {
	Name, Length, Error, Color string
	Left, Width                string // % of the action
}

// WriteHTML writes the run as one HTML file that refers to nothing outside itself.
func WriteHTML(w io.Writer, r Run) error {
	t, err := pageTemplate()
	if err != nil {
		return err
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
		State: r.State, Few: fewTrials, Remarks: r.remarks(), Spec: r.Spec,
		Differences: r.differenceRows(), Run: m.Run,
		Sequential: r.sequentialTable(), SequentialTitle: r.sequentialTitle(),
		Packets: r.packetRows(), PacketTitle: packetTitle, PacketNote: packetNote,
	}
	if p.Title == "" {
		p.Title = m.Name
	}
	groups := r.groups()
	k := kindOf(groups)
	p.FourViews, p.TypicalTitle, p.ValidityHead = k.outages, "The trial of median "+k.headlineName+" of each treatment", k.validityHead()
	var foot notes
	if len(groups) > 0 {
		for _, sec := range sections(groups) {
			t := newPageTable(sec.rows(groups), sec, &foot)
			t.Pivots = pivots(r, sec.rows(groups), sec, &foot)
			p.Tables = append(p.Tables, t)
		}
	}
	var series []Series
	for _, g := range groups {
		p.Intervals = append(p.Intervals, g.intervals(k.times(groups))...)
		for _, t := range g.trials {
			tp := t.page()
			packed, err := t.packed()
			if err != nil {
				return p, err
			}
			tp.HasSeries = len(packed) > 0
			series = append(series, packed)
			p.Trials = append(p.Trials, tp)
			if k.migrates {
				p.Convergence = append(p.Convergence, t.convergenceRow())
			}
			p.Forecasts = append(p.Forecasts, t.forecasts()...)
			p.Validity = append(p.Validity, t.validity())
		}
	}
	for i, note := range foot.list {
		p.Notes = append(p.Notes, superscript(i+1)+" "+note)
	}
	if err := p.draw(r, groups); err != nil {
		return p, err
	}
	p.ValidityParts = r.validityParts()
	var err error
	if p.Answer, err = newAnswer(r, groups, k); err != nil {
		return p, fmt.Errorf("write html report: %w", err)
	}
	if err := p.pack(); err != nil {
		return p, err
	}
	if err := p.scripts(); err != nil {
		return p, err
	}
	p.Design, p.Paper = r.design(), published.NewTable(r.Paper, r.Published)
	p.Paper.Title = capital(p.Paper.Title)
	for _, f := range m.Facts {
		p.Facts = append(p.Facts, [3]string{f.Subject, f.Name, f.Value})
	}
	p.Facts = append(p.Facts, trialFacts(r)...)
	return p, p.addSeries(series)
}

// inline cuts what stands before the svg element. The text in it was escaped when it was drawn.
func inline(svg string) template.HTML {
	if i := strings.Index(svg, "<svg"); i >= 0 {
		svg = svg[i:]
	}
	return template.HTML(svg) //nolint:gosec // our own drawing
}

// foldFrom is from how many treatments on figures of single trials are folded.
const foldFrom = 3

// draw adds the figures: those of all trials, and folded those of the typical trial of each treatment.
func (p *page) draw(r Run, groups []group) error {
	var err error
	if p.Figures, err = pageFigures(runFigures(r)); err != nil {
		return err
	}
	chosen, left := drawn(groups)
	p.NotDrawn = drawnNote(chosen, left, r.Manifest.Run)
	for _, set := range trialFigures(chosen) {
		fold := pageFold{Title: fmt.Sprintf("%s (%d)", set.title, len(set.figures)), Open: len(chosen) < foldFrom}
		if fold.Figures, err = pageFigures(set.figures); err != nil {
			return err
		}
		p.Folds = append(p.Folds, fold)
	}
	return nil
}

func pageFigures(figures []Figure) ([]pageFigure, error) {
	var list []pageFigure
	for _, f := range figures {
		var b bytes.Buffer
		if err := f.WriteSVG(&b); err != nil {
			return nil, fmt.Errorf("draw %s: %w", f.Name, err)
		}
		list = append(list, pageFigure{f.Title, f.Caption, inline(b.String()), f.width > columnWidth})
	}
	return list, nil
}

func newPageTable(groups []group, sec section, foot *notes) pageTable {
	t := pageTable{Title: capital(sec.title), Note: capital(sectionNotes[sec.title])}
	for _, c := range sec.columns {
		t.Columns = append(t.Columns, c.name())
	}
	for _, g := range groups {
		row, some := g.pageRow(sec.columns, foot)
		if some || sec.title == "" {
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

// capital begins a text with a capital letter.
func capital(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:] // the titles and notes of sections begin with a letter of ASCII
}

// pageRow is a treatment's row; some is false if none of the figures applies to it.
func (g group) pageRow(columns []column, foot *notes) (row pageRow, some bool) {
	row = pageRow{Name: g.name, Tally: g.tally(), Label: g.spreadLabel()}
	for _, c := range columns {
		cell := g.cell(c.metric)
		pc := pageCell{Name: c.name(), Median: cell.Median, Mark: foot.mark(cell.Note), Spread: cell.Spread, Floor: g.floor(c.metric)}
		row.Floors = row.Floors || pc.Floor != ""
		some = some || pc.Median != ""
		if row.Label != "" && pc.Spread == "" {
			pc.Spread = "\u00a0" // keeps the line, so that floors stay level
		}
		row.Cells = append(row.Cells, pc)
	}
	return row, some
}

// times are the columns of the first table that are in s.
func (k kind) times(groups []group) []column {
	return slices.DeleteFunc(slices.Clone(k.columns(groups)), func(c column) bool {
		return !slices.ContainsFunc(groups, func(g group) bool {
			_, u := g.halfWidth(c.metric)
			return u == results.Seconds
		})
	})
}

// intervals are the confidence intervals of the medians, or why there are none.
func (g group) intervals(times []column) []string {
	var list []string
	for _, c := range times {
		s := g.summary(c.metric)
		i := s.MedianInterval
		if !i.Known {
			if s.Known > 0 {
				return append(list, fmt.Sprintf("%s: no interval of a median: %s", g.name, i.Why))
			}
			continue
		}
		list = append(list, fmt.Sprintf("%s, %s: median in [%s, %s] (%.1f %% confidence, order statistics, n = %d)",
			g.name, c.name(), i.Low.Show(results.Seconds, quantity.Down), i.High.Show(results.Seconds, quantity.Up), i.Confidence*100, s.Known))
	}
	return list
}

func (r Run) design() [][2]string {
	m := r.Manifest
	list := [][2]string{{"experiment", m.Name}, {"run", m.Run}, {"trials", r.progress()}, {"seed of the order", fmt.Sprint(m.Seed)}}
	if more := m.MoreOf; more != nil {
		list = append(list, [2]string{"more trials of", fmt.Sprintf("%s, for look %d at its treatments: to be compared together with it, not alone", more.Run, more.Look)})
	}
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
