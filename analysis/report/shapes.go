package report

import (
	"cmp"
	"image/color"
	"slices"

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
		x1 = max(x1, x0+0.6)
		c.FillPolygon(r.color, c.ClipPolygonXY(box(x0, ty(r.y0), x1, ty(r.y1))))
	}
}

// A dot is one value.
type dot struct {
	x, y  float64
	color color.NRGBA
	shape draw.GlyphDrawer
	size  vg.Length
	swarm bool // one of many in a row
}

type dots []dot

// Plot implements plot.Plotter. Dots of a swarm that would hide each other are moved up or down.
func (ds dots) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	ds = slices.Clone(ds)
	slices.SortStableFunc(ds, func(a, b dot) int { return cmp.Compare(a.x, b.x) })
	lanes := map[float64]*[3]vg.Length{}        // by row: where each lane's last dot ends
	for _, swarm := range []bool{true, false} { // what marks a place is drawn over the swarm
		for _, d := range ds {
			if d.swarm != swarm {
				continue
			}
			at := vg.Point{X: tx(d.x), Y: ty(d.y)}
			if swarm {
				if lanes[d.y] == nil {
					lanes[d.y] = &[3]vg.Length{}
				}
				at.Y += lane(lanes[d.y], at.X, d.size)
			}
			c.DrawGlyphNoClip(draw.GlyphStyle{Color: d.color, Radius: d.size, Shape: d.shape}, at)
		}
	}
}

// lane chooses the lane in which a dot at x overlaps least, the middle one if it can, and returns how far up it is.
func lane(ends *[3]vg.Length, x, radius vg.Length) vg.Length {
	best := 0
	for i, end := range ends {
		if ends[best] > x-radius && end < ends[best] {
			best = i
		}
	}
	ends[best] = x + radius
	return [3]vg.Length{0, 2, -2}[best]
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

// failedGlyph is a lying cross in a ring: what most trials did not come to.
type failedGlyph struct{}

// DrawGlyph implements draw.GlyphDrawer.
func (failedGlyph) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, pt vg.Point) {
	draw.RingGlyph{}.DrawGlyph(c, sty, pt)
	sty.Radius *= 0.8
	draw.CrossGlyph{}.DrawGlyph(c, sty, pt)
}
