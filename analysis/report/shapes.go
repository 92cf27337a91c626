package report

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A patch is a rectangle in data coordinates.
type patch struct {
	x0, x1, y0, y1 float64
	color          color.NRGBA
}

// patches draws rectangles, cut to the plot's area.
type patches []patch

// Plot implements plot.Plotter.
func (ps patches) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	for _, r := range ps {
		x0, x1 := tx(r.x0), tx(r.x1)
		// What is shorter than a hairline still shows.
		x1 = max(x1, x0+0.3)
		c.FillPolygon(r.color, c.ClipPolygonXY(box(x0, ty(r.y0), x1, ty(r.y1))))
	}
}

// A mark is a vertical line with a label above the plot's area.
type mark struct {
	x     float64
	label string
}

type marks []mark

// Plot implements plot.Plotter. Labels that would touch the one before are left out; their lines stay.
func (ms marks) Plot(c draw.Canvas, p *plot.Plot) {
	tx, _ := p.Transforms(&c)
	sty := textStyle(smallText)
	sty.Color, sty.XAlign, sty.YAlign = grey, -0.5, 0
	end := c.Min.X - 100
	for _, m := range ms {
		x := tx(m.x)
		if !c.ContainsX(x) {
			continue
		}
		c.StrokeLine2(draw.LineStyle{Color: grey, Width: 0.4, Dashes: []vg.Length{2, 2}}, x, c.Min.Y, x, c.Max.Y)
		w := sty.Width(m.label)
		if x-w/2 > end+2 {
			c.FillText(sty, vg.Point{X: x, Y: c.Max.Y + 1.5}, m.label)
			end = x + w/2
		}
	}
}

// GlyphBoxes implements plot.GlyphBoxer, so that the labels are not cut.
func (ms marks) GlyphBoxes(p *plot.Plot) []plot.GlyphBox {
	var boxes []plot.GlyphBox
	for _, m := range ms {
		x := p.X.Norm(m.x)
		if x < 0 || x > 1 {
			continue
		}
		boxes = append(boxes, plot.GlyphBox{X: x, Y: 1, Rectangle: vg.Rectangle{
			Min: vg.Point{X: -3}, Max: vg.Point{X: 3, Y: smallText + 2},
		}})
	}
	return boxes
}

// A dot is one value.
type dot struct {
	x, y  float64
	color color.NRGBA
	shape draw.GlyphDrawer
	size  vg.Length
}

type dots []dot

// Plot implements plot.Plotter.
func (ds dots) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	for _, d := range ds {
		c.DrawGlyphNoClip(draw.GlyphStyle{Color: d.color, Radius: d.size, Shape: d.shape}, vg.Point{X: tx(d.x), Y: ty(d.y)})
	}
}

// GlyphBoxes implements plot.GlyphBoxer.
func (ds dots) GlyphBoxes(p *plot.Plot) []plot.GlyphBox {
	var boxes []plot.GlyphBox
	for _, d := range ds {
		boxes = append(boxes, plot.GlyphBox{X: p.X.Norm(d.x), Y: p.Y.Norm(d.y), Rectangle: vg.Rectangle{
			Min: vg.Point{X: -d.size, Y: -d.size}, Max: vg.Point{X: d.size, Y: d.size},
		}})
	}
	return boxes
}

// A heading is text at the left end of a row.
type heading struct {
	y    float64
	text string
}

type headings []heading

// Plot implements plot.Plotter.
func (hs headings) Plot(c draw.Canvas, p *plot.Plot) {
	_, ty := p.Transforms(&c)
	sty := textStyle(normalText)
	sty.YAlign = -0.5
	for _, h := range hs {
		c.FillText(sty, vg.Point{X: c.Min.X + 1, Y: ty(h.y)}, fit(sty, h.text, c.Max.X-c.Min.X-2))
	}
}

// rightArrow is a triangle that points to larger values: the truth lies there.
type rightArrow struct{}

// DrawGlyph implements draw.GlyphDrawer.
func (rightArrow) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, pt vg.Point) {
	c.FillPolygon(sty.Color, []vg.Point{
		{X: pt.X - sty.Radius*0.7, Y: pt.Y - sty.Radius}, {X: pt.X + sty.Radius, Y: pt.Y}, {X: pt.X - sty.Radius*0.7, Y: pt.Y + sty.Radius},
	})
}

// upright is a short vertical line: a median.
type upright struct{ width vg.Length }

// DrawGlyph implements draw.GlyphDrawer.
func (u upright) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, pt vg.Point) {
	c.StrokeLine2(draw.LineStyle{Color: sty.Color, Width: u.width}, pt.X, pt.Y-sty.Radius, pt.X, pt.Y+sty.Radius)
}

// bracket is a square bracket that opens to the left: the noise reaches up to here.
type bracket struct{}

// DrawGlyph implements draw.GlyphDrawer.
func (bracket) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, pt vg.Point) {
	r := sty.Radius
	c.StrokeLines(draw.LineStyle{Color: sty.Color, Width: 0.7}, []vg.Point{
		{X: pt.X - r*0.8, Y: pt.Y + r}, {X: pt.X, Y: pt.Y + r}, {X: pt.X, Y: pt.Y - r}, {X: pt.X - r*0.8, Y: pt.Y - r},
	})
}
