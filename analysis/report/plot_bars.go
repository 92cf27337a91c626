package report

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// barsFigure is the median as bars from 0, beside each other for each level of x.
func barsFigure(c chart) (Figure, error) {
	if c.x == nil {
		one := axis{path: "treatment", levels: []string{"all trials"}}
		c.x = &one
	}
	axis := newValueAxis(append(values(c.rows), 0), c.unit, true)
	caption := fmt.Sprintf("The median %s%s (%s). ", c.title, c.shown(), counts(c.rows)) + intervalNote(c.rows) + lackNote(c.rows)
	keys := c.byKeys(false)
	for i := range keys {
		keys[i].glyph = nil
	}
	if slices.ContainsFunc(c.rows, func(r chartRow) bool { return r.summary.Known > 0 && r.summary.Median.AtLeast }) {
		caption += " An arrow on a bar: the median is larger."
		keys = append(keys, key{label: "the median is larger", color: black, glyph: upArrow{}})
	}
	if slices.ContainsFunc(c.rows, func(r chartRow) bool { return r.summary.Known == 0 }) {
		keys = append(keys, key{label: "not known", color: grey, glyph: draw.CrossGlyph{}})
	}
	return Figure{
		Title: c.titled(), Caption: caption, height: 58*vg.Millimeter + legendRows(keys),
		draw: func(canvas draw.Canvas) { drawBars(canvas, c, axis, keys) },
	}, nil
}

func drawBars(canvas draw.Canvas, c chart, axis valueAxis, keys []key) {
	if len(keys) > 0 {
		canvas = legend(canvas, keys)
	}
	p := newPlot()
	axis.set(p, &p.Y, c.title)
	if c.x.path != "treatment" {
		p.X.Label.Text = c.x.path
	}
	categories(p, c.x.levels, plotArea)
	p.Add(painter(func(canvas draw.Canvas, p *plot.Plot) { paintBars(canvas, p, c, axis) }))
	p.Draw(canvas)
}

func paintBars(c draw.Canvas, p *plot.Plot, ch chart, axis valueAxis) {
	tx, ty := p.Transforms(&c)
	y := func(v float64) vg.Length { return ty(axis.at(v)) }
	n := 1
	if ch.by != nil {
		n = len(ch.by.levels)
	}
	width := 0.8 / float64(n)
	for _, r := range ch.rows {
		from := float64(r.x) - 0.4 + float64(r.by)*width
		x0, x1 := tx(from+width*0.06), tx(from+width*0.94)
		mid := (x0 + x1) / 2
		style := lookOf(r.by)
		if r.summary.Known == 0 {
			c.DrawGlyphNoClip(draw.GlyphStyle{Color: grey, Radius: 2, Shape: draw.CrossGlyph{}}, vg.Point{X: mid, Y: y(0) + 4})
			continue
		}
		m := r.summary.Median
		bar := box(x0, y(0), x1, y(m.Value))
		c.FillPolygon(faded(style.color, 190), bar)
		c.StrokeLines(draw.LineStyle{Color: style.color, Width: 0.5}, append(bar, bar[0]))
		if m.AtLeast {
			c.DrawGlyphNoClip(draw.GlyphStyle{Color: black, Radius: 2.4, Shape: upArrow{}}, vg.Point{X: mid, Y: y(m.Value) + 2})
		}
		i := r.summary.MedianInterval
		if !i.Known {
			continue
		}
		line := draw.LineStyle{Color: black, Width: 0.8}
		c.StrokeLine2(line, mid, y(i.Low.Value), mid, y(i.High.Value))
		c.StrokeLine2(line, mid-1.5, y(i.Low.Value), mid+1.5, y(i.Low.Value))
		if !i.High.AtLeast {
			c.StrokeLine2(line, mid-1.5, y(i.High.Value), mid+1.5, y(i.High.Value))
		}
	}
}
