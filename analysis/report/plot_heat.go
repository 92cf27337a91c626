package report

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"virtscope/analysis/quantity"
	"virtscope/analysis/stats"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// heatColors are the sequential scheme YlGnBu of ColorBrewer (Brewer, 2003), which colour-blind readers can order; its ends are left out.
var heatColors = []color.NRGBA{
	{0xED, 0xF8, 0xB1, 255},
	{0xC7, 0xE9, 0xB4, 255},
	{0x7F, 0xCD, 0xBB, 255},
	{0x41, 0xB6, 0xC4, 255},
	{0x1D, 0x91, 0xC0, 255},
	{0x22, 0x5E, 0xA8, 255},
	{0x25, 0x34, 0x94, 255},
}

// heat is the colour of a share from 0 to 1 of the range.
func heat(share float64) color.NRGBA {
	at := min(max(share, 0), 1) * float64(len(heatColors)-1)
	i := min(int(at), len(heatColors)-2)
	a, b, part := heatColors[i], heatColors[i+1], at-float64(i)
	mix := func(x, y uint8) uint8 { return uint8(math.Round(float64(x) + part*(float64(y)-float64(x)))) }
	return color.NRGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 255}
}

// A heatCell is the median of a treatment; one that is not known is hatched, one that was not run is blank.
type heatCell struct {
	run, known bool
	median     stats.Estimate
	text       string
}

// A heatMap is the cells by level of by, then of x.
type heatMap struct {
	chart
	cells     [][]heatCell
	log       bool
	low, high float64
	unit      string
}

func newHeatMap(c chart) heatMap {
	h := heatMap{chart: c, low: math.Inf(1), high: math.Inf(-1)}
	h.cells = make([][]heatCell, len(c.by.levels))
	for i := range h.cells {
		h.cells[i] = make([]heatCell, len(c.x.levels))
	}
	for _, r := range c.rows {
		cell := heatCell{run: true, known: r.summary.Known > 0}
		if m := r.summary.Median; cell.known {
			cell.median = m
			h.low, h.high = min(h.low, m.Value), max(h.high, m.Value)
		}
		h.cells[r.by][r.x] = cell
	}
	h.log = h.low > 0 && h.high/h.low > wideRange
	factor, unit := quantity.ScaleOf(h.high, c.unit)
	h.unit = unit
	if h.log {
		h.unit = ""
	}
	for i := range h.cells {
		for j := range h.cells[i] {
			cell := &h.cells[i][j]
			if !cell.known {
				continue
			}
			v, side := cell.median.Value, cell.median.Side(quantity.Nearest)
			text := quantity.Fixed(v, factor, quantity.Decimals(h.high/factor/200, v/factor), side)
			if h.log {
				text = quantity.Bound(v, math.Abs(v)/50, c.unit, side)
			}
			cell.text = cell.median.Mark() + text
		}
	}
	return h
}

// share is where a value lies in the range.
func (h heatMap) share(v float64) float64 {
	switch {
	case h.high == h.low:
		return 0.5
	case h.log:
		return math.Log(v/h.low) / math.Log(h.high/h.low)
	}
	return (v - h.low) / (h.high - h.low)
}

func heatFigure(c chart) (Figure, error) {
	h := newHeatMap(c)
	caption := fmt.Sprintf("The median %s by %s and %s (%s); a larger value is darker", c.title, c.x.path, c.by.path, counts(c.rows))
	if h.log {
		caption += ", on a logarithmic scale"
	}
	caption += "."
	if c.censored() {
		caption += " ≥: trials failed, or were not seen to end, and the median is larger."
	}
	for _, note := range []struct {
		text string
		is   func(heatCell) bool
	}{
		{" Hatched: no trial has a value.", func(x heatCell) bool { return x.run && !x.known }},
		{" Blank: not run.", func(x heatCell) bool { return !x.run }},
	} {
		if slices.ContainsFunc(h.cells, func(row []heatCell) bool { return slices.ContainsFunc(row, note.is) }) {
			caption += note.text
		}
	}
	f := Figure{
		Title: c.titled(), Caption: caption + lackNote(c.rows), height: vg.Length(len(c.by.levels))*6.5*vg.Millimeter + 30*vg.Millimeter,
		draw: h.draw,
	}
	if len(c.x.levels) > 6 {
		f.width = captureWidth
	}
	return f, nil
}

func (h heatMap) draw(canvas draw.Canvas) {
	canvas = h.bar(canvas)
	p := newPlot()
	p.X.Label.Text, p.Y.Label.Text = h.x.path, h.by.path
	area := plotArea
	if len(h.x.levels) > 6 {
		area = captureWidth - 28*vg.Millimeter
	}
	categories(p, h.x.levels, area-12*vg.Millimeter)
	var names []plot.Tick
	sty := textStyle(smallText)
	for i, level := range h.by.levels {
		names = append(names, plot.Tick{Value: float64(-i), Label: fit(sty, level, 24*vg.Millimeter)})
	}
	p.Y.Tick.Marker = plot.ConstantTicks(names)
	p.Y.Tick.Width, p.Y.Tick.Length, p.Y.Width, p.X.Width = 0, 0, 0, 0
	p.Y.Min, p.Y.Max = 0.5-float64(len(h.by.levels)), 0.5
	p.Add(painter(h.paint))
	p.Draw(canvas)
}

// bar is the colours' key, with the ends of the range.
func (h heatMap) bar(c draw.Canvas) draw.Canvas {
	sty := textStyle(smallText)
	sty.YAlign = -0.5
	low, high := quantity.Scaled(h.low, math.Abs(h.low)/50, h.chart.unit), quantity.Scaled(h.high, math.Abs(h.high)/50, h.chart.unit)
	title := "median"
	if h.unit != "" {
		title += " (" + h.unit + ")"
	}
	y := c.Max.Y - 5
	x := c.Min.X + 2
	c.FillText(sty, vg.Point{X: x, Y: y}, title)
	x += sty.Width(title) + 10
	c.FillText(sty, vg.Point{X: x, Y: y}, low)
	x += sty.Width(low) + 3
	const steps, width = 32, vg.Length(64)
	for i := range steps {
		from := x + width*vg.Length(i)/steps
		c.FillPolygon(heat((float64(i)+0.5)/steps), box(from, y-3, from+width/steps+0.2, y+3))
	}
	c.FillText(sty, vg.Point{X: x + width + 3, Y: y}, high)
	return draw.Crop(c, 0, 0, 0, -14)
}

func (h heatMap) paint(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	sty := textStyle(smallText)
	sty.XAlign, sty.YAlign = -0.5, -0.5
	for i, row := range h.cells {
		for j, cell := range row {
			area := box(tx(float64(j)-0.5)+0.4, ty(float64(-i)-0.5)+0.4, tx(float64(j)+0.5)-0.4, ty(float64(-i)+0.5)-0.4)
			switch {
			case !cell.run:
				continue
			case !cell.known:
				hatch(c, area)
				continue
			}
			share := h.share(cell.median.Value)
			c.FillPolygon(heat(share), area)
			sty.Color = black
			if dark(heat(share)) {
				sty.Color = color.White
			}
			c.FillText(sty, vg.Point{X: (area[0].X + area[2].X) / 2, Y: (area[0].Y+area[2].Y)/2 + 1.2}, fit(sty, cell.text, area[1].X-area[0].X))
		}
	}
}

// dark reports whether white is read more easily on a colour than black.
func dark(c color.NRGBA) bool { return luminance(c) < 0.18 }

// luminance is that of a colour, from 0 to 1 (ITU-R BT.709).
func luminance(c color.NRGBA) float64 {
	linear := func(v uint8) float64 { return math.Pow(float64(v)/255, 2.2) }
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

// hatch fills a rectangle with slanted lines.
func hatch(c draw.Canvas, area []vg.Point) {
	line := draw.LineStyle{Color: grey, Width: 0.4}
	low, high := area[0], area[2]
	c.StrokeLines(line, append(slices.Clone(area), area[0]))
	tall := high.Y - low.Y
	for x := low.X - tall + 3; x < high.X; x += 4 {
		from, to := vg.Point{X: x, Y: low.Y}, vg.Point{X: x + tall, Y: high.Y}
		if from.X < low.X {
			from = vg.Point{X: low.X, Y: low.Y + low.X - x}
		}
		if to.X > high.X {
			to = vg.Point{X: high.X, Y: high.Y - (to.X - high.X)}
		}
		c.StrokeLine2(line, from.X, from.Y, to.X, to.Y)
	}
}
