package report

import (
	"fmt"
	"slices"
	"strings"
	"virtscope/analysis/stats"
	"virtscope/results"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A boxRow is a treatment in a box plot. Quartiles would be made up between few points: then there is no box.
type boxRow struct {
	chartRow
	head, label string // a head begins a group of rows
	box         bool
	least, most float64 // ends of the whiskers
}

// whiskers reach the last datum within 1.5 interquartile ranges of the box (Tukey, Exploratory Data Analysis, 1977, section 2C).
func (r *boxRow) whiskers() {
	s := r.summary
	r.box = s.Known >= fewTrials && !s.Q1.AtLeast
	if !r.box {
		return
	}
	r.least, r.most = s.Q1.Value, s.Q3.Value
	reach := 1.5 * (s.Q3.Value - s.Q1.Value)
	for _, d := range r.known() {
		if d.Value >= s.Q1.Value-reach {
			r.least = min(r.least, d.Value)
		}
		if d.Value <= s.Q3.Value+reach {
			r.most = max(r.most, d.Value)
		}
	}
}

// boxRows are the treatments, those of one level of x together, in the order of by.
func boxRows(c chart) []boxRow {
	rows := slices.Clone(c.rows)
	slices.SortStableFunc(rows, func(a, b chartRow) int {
		if c.x == nil {
			return 0
		}
		return a.x - b.x
	})
	var list []boxRow
	var order []string
	for _, r := range rows {
		b := boxRow{chartRow: r, label: "all trials"}
		var others []results.Level
		for _, l := range r.levels {
			if c.by != nil && l.Factor == c.by.path {
				b.label = l.Value
			} else if several(c.rows, l.Factor) {
				others = append(others, l)
			}
		}
		if len(others) > 0 {
			b.head = treatmentName(results.Trial{Levels: others})
			if len(others) == 1 {
				b.head = shortName(others[0].Factor) + " " + others[0].Value
			}
		}
		b.label += fmt.Sprintf(", n=%d", r.summary.Known)
		if n := r.unknown(); n > 0 {
			b.label += fmt.Sprintf(" +%d?", n)
		}
		b.whiskers()
		if !slices.Contains(order, b.head) {
			order = append(order, b.head)
		}
		list = append(list, b)
	}
	slices.SortStableFunc(list, func(a, b boxRow) int {
		if i, j := slices.Index(order, a.head), slices.Index(order, b.head); i != j {
			return i - j
		}
		return a.by - b.by
	})
	for i := len(list) - 1; i > 0; i-- {
		if list[i].head == list[i-1].head {
			list[i].head = ""
		}
	}
	return list
}

func boxFigure(c chart) (Figure, error) {
	rows := boxRows(c)
	axis := newValueAxis(values(c.rows), c.unit, false)
	heads := 0
	for _, r := range rows {
		if r.head != "" {
			heads++
		}
	}
	by := "treatment"
	var paths []string
	if len(rows) > 0 {
		for _, l := range rows[0].levels {
			if several(c.rows, l.Factor) {
				paths = append(paths, shortName(l.Factor))
			}
		}
	}
	if len(paths) > 0 {
		by = joined(paths)
	}
	caption := fmt.Sprintf("The %s in every trial, by treatment: a dot is a trial, n their number. Of %d trials or more, the box holds the middle half and the whiskers what is at most 1.5 times its length beyond; the thick line is the median, the bar beneath its interval. ", c.title, fewTrials)
	caption += intervalNote(c.rows)
	if slices.ContainsFunc(c.rows, func(r chartRow) bool { return r.unknown() > 0 }) {
		caption += " +1? is a trial without a value."
	}
	return Figure{
		Title: capital(c.title) + " by " + by, Caption: caption + lackNote(c.rows) + axis.note(),
		height: vg.Length(len(rows))*5*vg.Millimeter + vg.Length(heads)*4*vg.Millimeter + 19*vg.Millimeter,
		draw:   func(canvas draw.Canvas) { drawBoxes(canvas, c, rows, axis) },
	}, nil
}

// joined is "a, b and c".
func joined(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

func drawBoxes(canvas draw.Canvas, c chart, rows []boxRow, axis valueAxis) {
	keys := []key{{label: "trial", color: grey, glyph: draw.CircleGlyph{}}, {label: "median", color: black, glyph: upright{1.4}}}
	if slices.ContainsFunc(rows, func(r boxRow) bool { return r.summary.MedianInterval.Known }) {
		keys = append(keys, key{label: "interval of the median", color: black, line: true})
	}
	if slices.ContainsFunc(rows, func(r boxRow) bool { return r.summary.Censored > 0 }) {
		keys = append(keys, key{label: "larger: failed, or not seen to end", color: grey, glyph: rightArrow{}})
	}
	canvas = legend(canvas, keys)
	p := newPlot()
	axis.set(p, &p.X, c.title)
	var heads headings
	var names []plot.Tick
	var stripes patches
	sty := textStyle(smallText)
	places := make([]float64, len(rows))
	y := 0.0
	for i, r := range rows {
		if r.head != "" {
			heads = append(heads, heading{y + 0.02, r.head})
			y -= 0.8
		}
		places[i] = y - 0.1
		if i%2 == 0 {
			stripes = append(stripes, patch{p.X.Min, p.X.Max, places[i] - 0.5, places[i] + 0.5, faded(black, 12)})
		}
		names = append(names, plot.Tick{Value: places[i], Label: fit(sty, r.label, 27*vg.Millimeter)})
		y--
	}
	p.Y.Tick.Marker = plot.ConstantTicks(names)
	p.Y.Tick.Width, p.Y.Tick.Length, p.Y.Width = 0, 0, 0
	p.Add(stripes, heads)
	for i, r := range rows {
		l := look{color: blue, shape: draw.CircleGlyph{}}
		if c.by != nil && len(c.by.levels) <= len(seriesColors) {
			l = lookOf(r.by)
		}
		p.Add(painter(func(c draw.Canvas, p *plot.Plot) { r.paint(c, p, axis, places[i], l) }), r.dots(axis, places[i], l))
	}
	p.Y.Min, p.Y.Max = y+0.4, 0.5
	p.Draw(canvas)
}

// dots are the row's trials.
func (r boxRow) dots(axis valueAxis, y float64, l look) dots {
	var list dots
	for _, d := range r.known() {
		if d.Censored {
			list = append(list, dot{x: axis.at(d.Value), y: y, color: l.color, shape: rightArrow{}, size: 2.6})
			continue
		}
		list = append(list, dot{x: axis.at(d.Value), y: y, color: faded(l.color, 190), shape: l.shape, size: 1.6, swarm: true})
	}
	return list
}

// paint draws what summarises the row.
func (r boxRow) paint(c draw.Canvas, p *plot.Plot, axis valueAxis, y float64, l look) {
	tx, ty := p.Transforms(&c)
	x := func(v float64) vg.Length { return min(max(tx(axis.at(v)), c.Min.X), c.Max.X) }
	top, mid, bottom := ty(y+0.3), ty(y), ty(y-0.3)
	thin := draw.LineStyle{Color: l.color, Width: 0.6}
	s := r.summary
	if r.box {
		c.StrokeLine2(thin, x(r.least), mid, x(s.Q1.Value), mid)
		c.FillPolygon(faded(l.color, 50), box(x(s.Q1.Value), bottom, x(s.Q3.Value), top))
		outline := []vg.Point{{X: x(s.Q3.Value), Y: top}, {X: x(s.Q1.Value), Y: top}, {X: x(s.Q1.Value), Y: bottom}, {X: x(s.Q3.Value), Y: bottom}}
		if !s.Q3.AtLeast { // else it is open to where the truth lies
			outline = append(outline, outline[0])
			c.StrokeLine2(thin, x(s.Q3.Value), mid, x(r.most), mid)
		}
		c.StrokeLines(thin, outline)
	}
	if s.Known > 1 {
		r.paintMedian(c, s.Median, x, top, bottom)
	}
	if i := s.MedianInterval; i.Known {
		at := ty(y - 0.42)
		style := draw.LineStyle{Color: black, Width: 0.8}
		from, to := x(i.Low.Value), x(i.High.Value)
		c.StrokeLine2(style, from, at, to, at)
		c.StrokeLine2(style, from, at-1.2, from, at+1.2)
		if i.High.AtLeast {
			c.DrawGlyphNoClip(draw.GlyphStyle{Color: black, Radius: 1.8, Shape: rightArrow{}}, vg.Point{X: to, Y: at})
		} else {
			c.StrokeLine2(style, to, at-1.2, to, at+1.2)
		}
	}
}

func (r boxRow) paintMedian(c draw.Canvas, m stats.Estimate, x func(float64) vg.Length, top, bottom vg.Length) {
	at := x(m.Value)
	c.StrokeLine2(draw.LineStyle{Color: black, Width: 1.4}, at, bottom, at, top)
	if m.AtLeast {
		c.DrawGlyphNoClip(draw.GlyphStyle{Color: black, Radius: 2.2, Shape: rightArrow{}}, vg.Point{X: at + 2, Y: (top + bottom) / 2})
	}
}
