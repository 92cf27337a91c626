package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"virtscope/analysis/quantity"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// draw paints the chart: a place for each level, in which the other factor's levels stand beside each other.
func (c *dotChart) draw(canvas draw.Canvas) {
	canvas = legend(canvas, c.keys())
	p := newPlot()
	_, unit := c.scaled()
	p.Y.Label.Text = c.label + " (" + unit + ")"
	p.X.Label.Text = c.x.Path
	p.Y.Tick.Marker = plot.TickerFunc(ticks)
	if c.log {
		p.Y.Tick.Marker = plot.TickerFunc(func(lo, hi float64) []plot.Tick { return c.logTicks(math.Pow(10, lo), math.Pow(10, hi)) })
	}
	var names []plot.Tick
	for i, level := range c.x.Levels {
		names = append(names, plot.Tick{Value: float64(i), Label: level})
	}
	p.X.Tick.Marker = plot.ConstantTicks(names)
	p.X.Tick.Width, p.X.Tick.Length = 0, 0
	p.X.Min, p.X.Max = -0.5, float64(len(c.x.Levels))-0.5
	p.Y.Min, p.Y.Max = c.height(c.low), c.height(c.high)
	p.Add(c.bands(p.Y.Min, p.Y.Max), dotPainter{c})
	p.Draw(canvas)
}

// height is where a value lies on the axis.
func (c *dotChart) height(v float64) float64 {
	if c.log {
		return math.Log10(max(v, c.low))
	}
	factor, _ := c.scaled()
	return v / factor
}

// logTicks are at 1, 2 and 5 of each decade, or at 1 alone where there are many.
func (c *dotChart) logTicks(lo, hi float64) []plot.Tick {
	steps := []float64{1, 2, 5}
	if hi/lo > 1e4 {
		steps = []float64{1}
	}
	var list []plot.Tick
	for e := math.Floor(math.Log10(lo)); e <= math.Log10(hi); e++ {
		for _, f := range steps {
			v := f * math.Pow(10, e)
			if v >= lo*0.999 && v <= hi*1.001 {
				list = append(list, plot.Tick{Value: math.Log10(v), Label: c.text(v)})
			}
		}
	}
	return list
}

func (c *dotChart) text(v float64) string {
	factor, unit := quantity.ScaleOf(v, c.unit)
	return strings.TrimSpace(strconv.FormatFloat(v/factor, 'g', 3, 64) + " " + unit)
}

func (c *dotChart) keys() []key {
	var keys []key
	if c.series != nil {
		for i, level := range c.series.Levels {
			s := seriesColors[i]
			keys = append(keys, key{label: level, color: s.color, glyph: s.shape})
		}
	}
	if slices.ContainsFunc(c.dots, func(p placed) bool { return p.median }) {
		keys = append(keys, key{label: "median", color: black, line: true})
	}
	if slices.ContainsFunc(c.dots, func(p placed) bool { return p.more }) {
		keys = append(keys, key{label: "larger: failed, or not seen to end", color: grey, glyph: upArrow{}})
	}
	if len(c.lacking) > 0 {
		keys = append(keys, key{label: "trials without a value", color: grey, glyph: draw.CrossGlyph{}})
	}
	return keys
}

// bands shade every other level, to lead the eye.
func (c *dotChart) bands(lo, hi float64) patches {
	var list patches
	for i := range c.x.Levels {
		if i%2 == 1 {
			list = append(list, patch{float64(i) - 0.5, float64(i) + 0.5, lo, hi, faded(black, 14)})
		}
	}
	return list
}

// A dotPainter draws the values.
type dotPainter struct{ *dotChart }

// Plot implements plot.Plotter.
func (d dotPainter) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	n := 1
	if d.series != nil {
		n = len(d.series.Levels)
	}
	width := 0.8 / float64(n) // of a series' place
	for _, v := range d.dots {
		x := float64(v.x) - 0.4 + (float64(v.s)+0.5)*width
		style := seriesColors[v.s%len(seriesColors)]
		y := ty(d.height(v.v))
		if v.median {
			c.StrokeLine2(draw.LineStyle{Color: black, Width: 1}, tx(x-0.38*width), y, tx(x+0.38*width), y)
			continue
		}
		if v.of > 1 {
			x += (float64(v.n) - float64(v.of-1)/2) / float64(v.of) * width * 0.6
		}
		glyph := draw.GlyphStyle{Color: faded(style.color, 190), Radius: 1.7, Shape: style.shape}
		if v.more {
			glyph = draw.GlyphStyle{Color: style.color, Radius: 2.6, Shape: upArrow{}}
		}
		c.DrawGlyphNoClip(glyph, vg.Point{X: tx(x), Y: y})
	}
	sty := textStyle(smallText)
	sty.XAlign, sty.YAlign = -0.5, 0
	for at, count := range d.lacking {
		x := float64(at[0]) - 0.4 + (float64(at[1])+0.5)*width
		sty.Color = seriesColors[at[1]%len(seriesColors)].color
		c.FillText(sty, vg.Point{X: tx(x), Y: c.Min.Y + 2}, fmt.Sprintf("×%d", count))
	}
}

// upArrow is a triangle that points to larger values: the truth lies there.
type upArrow struct{}

// DrawGlyph implements draw.GlyphDrawer.
func (upArrow) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, pt vg.Point) {
	c.FillPolygon(sty.Color, []vg.Point{
		{X: pt.X - sty.Radius, Y: pt.Y - sty.Radius*0.7}, {X: pt.X, Y: pt.Y + sty.Radius}, {X: pt.X + sty.Radius, Y: pt.Y - sty.Radius*0.7},
	})
}
