package report

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// wideFactor is from which ratio of its largest to its smallest level a factor of three levels or more has a logarithmic axis.
const wideFactor = 8

// A lineChart is medians over a factor, joined for each level of another.
type lineChart struct {
	chart
	value valueAxis
	at    []float64 // where each level of x lies
	log   bool
	real  bool // x is of numbers, on their scale
}

// lineFigure is the median over a factor of numbers, on their own scale.
func lineFigure(c chart) (Figure, error) {
	l := lineChart{chart: c, value: newValueAxis(values(c.rows), c.unit, false), real: true}
	l.log = wide(c.x.values)
	for _, v := range c.x.values {
		if l.log {
			v = math.Log10(v)
		}
		l.at = append(l.at, v)
	}
	scale := ""
	if l.log {
		scale = " (a logarithmic scale)"
	}
	return l.figure(fmt.Sprintf("The median %s over %s%s", c.title, c.x.path, scale), c.titled()), nil
}

// wide reports whether levels are to stand on a logarithmic scale.
func wide(values []float64) bool {
	return len(values) > 2 && slices.Min(values) > 0 && slices.Max(values)/slices.Min(values) >= wideFactor
}

// interactionFigure is the median by two factors: lines that are not parallel tell of an interaction.
func interactionFigure(c chart) (Figure, error) {
	l := lineChart{chart: c, value: newValueAxis(values(c.rows), c.unit, false)}
	for i := range c.x.levels {
		l.at = append(l.at, float64(i))
	}
	return l.figure(fmt.Sprintf("The median %s by %s. Where the factors do not interact, the lines are parallel (on a logarithmic scale: where each multiplies)", c.title, c.x.path),
		"Interaction: "+c.titled1()), nil
}

func (l lineChart) figure(caption, title string) Figure {
	if l.by != nil {
		caption += "; a line is a level of " + l.by.path
	}
	caption += ". A faint mark is a trial (" + counts(l.rows) + "). " + intervalNote(l.rows)
	keys := l.byKeys(true)
	if l.censored() {
		keys = append(keys, key{label: "larger: failed, or not seen to end", color: grey, glyph: upArrow{}})
	}
	if slices.ContainsFunc(l.rows, chartRow.broken) {
		keys = append(keys, key{label: "most trials failed", color: grey, glyph: failedGlyph{}})
	}
	return Figure{
		Title: title, Caption: caption + lackNote(l.rows) + l.value.note(), height: 58*vg.Millimeter + legendRows(keys),
		draw: func(c draw.Canvas) { l.draw(c, keys) },
	}
}

func (c chart) censored() bool {
	return slices.ContainsFunc(c.rows, func(r chartRow) bool { return r.summary.Censored > 0 })
}

func (l lineChart) draw(canvas draw.Canvas, keys []key) {
	if len(keys) > 0 {
		canvas = legend(canvas, keys)
	}
	p := newPlot()
	l.value.set(p, &p.Y, l.title)
	p.X.Label.Text = l.x.path
	if l.real {
		low, high := slices.Min(l.at), slices.Max(l.at)
		pad := max((high-low)*0.07, 1e-9)
		p.X.Min, p.X.Max = low-pad, high+pad
		p.X.Tick.Marker = plot.ConstantTicks(thinned(l.at, l.x.levels, p.X.Min, p.X.Max, plotArea))
	} else {
		categories(p, l.x.levels, plotArea)
	}
	p.Add(grid())
	n, first := 1, 0
	if l.by != nil {
		n = len(l.by.levels)
	}
	for s := first; s < n; s++ {
		rows := slices.DeleteFunc(slices.Clone(l.rows), func(r chartRow) bool { return r.by != s })
		slices.SortFunc(rows, func(a, b chartRow) int { return a.x - b.x })
		shift := (vg.Length(s) - vg.Length(n-1)/2) * 2.4 // intervals that lie on each other cannot be read
		p.Add(painter(func(c draw.Canvas, p *plot.Plot) { l.paint(c, p, rows, lookOf(s), shift) }))
	}
	p.Draw(canvas)
}

// thinned are ticks at the levels. Labels that would overlap are left out, the first and the last never.
func thinned(at []float64, names []string, low, high float64, area vg.Length) []plot.Tick {
	sty := textStyle(smallText)
	place := func(i int) vg.Length { return vg.Length((at[i]-low)/(high-low)) * area }
	var list []plot.Tick
	last := len(at) - 1
	end := vg.Length(-1000)
	for i, v := range at {
		half := sty.Width(names[i])/2 + 2
		t := plot.Tick{Value: v, Label: names[i]}
		clash := i < last && place(i)+half > place(last)-sty.Width(names[last])/2
		if place(i)-half < end || clash {
			t.Label = ""
		} else {
			end = place(i) + half
		}
		list = append(list, t)
	}
	return list
}

// paint draws one line.
func (l lineChart) paint(c draw.Canvas, p *plot.Plot, rows []chartRow, style look, shift vg.Length) {
	tx, ty := p.Transforms(&c)
	y := func(v float64) vg.Length { return ty(l.value.at(v)) }
	var line []vg.Point
	flush := func() {
		if len(line) > 1 {
			c.StrokeLines(draw.LineStyle{Color: style.color, Width: 1, Dashes: style.dash}, line)
		}
		line = nil
	}
	for i, r := range rows {
		if r.summary.Known == 0 || r.broken() || i > 0 && r.x > rows[i-1].x+1 {
			flush() // nothing is known between
		}
		if r.summary.Known == 0 || r.broken() {
			continue
		}
		line = append(line, vg.Point{X: tx(l.at[r.x]) + shift, Y: y(r.summary.Median.Value)})
	}
	flush()
	for _, r := range rows {
		x := tx(l.at[r.x]) + shift
		for _, d := range r.known() {
			glyph := draw.GlyphStyle{Color: faded(style.color, 110), Radius: 1.1, Shape: draw.CircleGlyph{}}
			if d.Censored {
				glyph.Shape, glyph.Radius = upArrow{}, 1.8
			}
			c.DrawGlyphNoClip(glyph, vg.Point{X: x, Y: y(d.Value)})
		}
		if r.summary.Known > 0 {
			paintInterval(c, r, x, y, style)
		}
	}
}

// broken reports whether most trials failed without that their values say so: a line to their median would tell of what never came to be.
func (r chartRow) broken() bool {
	return 2*(r.failed-r.summary.Censored-r.unknown()) > r.summary.Known
}

// paintInterval draws a median with its interval along y, open where only a lower bound is known.
func paintInterval(c draw.Canvas, r chartRow, x vg.Length, y func(float64) vg.Length, style look) {
	line := draw.LineStyle{Color: style.color, Width: 0.9}
	if i := r.summary.MedianInterval; i.Known {
		low, high := y(i.Low.Value), y(i.High.Value)
		c.StrokeLine2(line, x, low, x, high)
		c.StrokeLine2(line, x-1.6, low, x+1.6, low)
		if i.High.AtLeast {
			c.DrawGlyphNoClip(draw.GlyphStyle{Color: style.color, Radius: 2, Shape: upArrow{}}, vg.Point{X: x, Y: high})
		} else {
			c.StrokeLine2(line, x-1.6, high, x+1.6, high)
		}
	}
	m := r.summary.Median
	glyph := draw.GlyphStyle{Color: style.color, Radius: 2.2, Shape: style.shape}
	switch {
	case m.AtLeast:
		glyph.Shape, glyph.Radius = upArrow{}, 3
	case r.broken():
		glyph.Shape = failedGlyph{}
	}
	c.DrawGlyphNoClip(glyph, vg.Point{X: x, Y: y(m.Value)})
}
