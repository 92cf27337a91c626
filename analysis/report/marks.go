package report

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A mark is a vertical line with a label above the plot's area.
type mark struct {
	x     float64
	label string
}

// marks are in the order of x.
type marks []mark

// markRoom is what the labels need above the plot's area.
const markRoom = smallText + 5

// Plot implements plot.Plotter. Labels that would overlap are moved aside and led to their lines; where there is no room
// for that, neighbours share one label, such as 3–5.
func (ms marks) Plot(c draw.Canvas, p *plot.Plot) {
	tx, _ := p.Transforms(&c)
	sty := textStyle(smallText)
	sty.Color, sty.XAlign, sty.YAlign = grey, -0.5, 0
	line := draw.LineStyle{Color: grey, Width: 0.4, Dashes: []vg.Length{2, 2}}
	var tags []tag
	for _, m := range ms {
		x := tx(m.x)
		if !c.ContainsX(x) {
			continue
		}
		c.StrokeLine2(line, x, c.Min.Y, x, c.Max.Y)
		tags = append(tags, tag{x: x, first: m.label, last: m.label})
	}
	line.Dashes = nil
	for _, t := range arrange(tags, sty, c.Min.X, c.Max.X) {
		c.StrokeLines(line, []vg.Point{{X: t.x, Y: c.Max.Y}, {X: t.x, Y: c.Max.Y + 1}, {X: t.at, Y: c.Max.Y + 4}})
		c.FillText(sty, vg.Point{X: t.at, Y: c.Max.Y + 5}, t.text())
	}
}

// GlyphBoxes implements plot.GlyphBoxer, so that the labels are not cut.
func (ms marks) GlyphBoxes(*plot.Plot) []plot.GlyphBox {
	if len(ms) == 0 {
		return nil
	}
	return []plot.GlyphBox{{X: 0.5, Y: 1, Rectangle: vg.Rectangle{Max: vg.Point{Y: markRoom + 1}}}}
}

// rules are vertical lines without labels.
type rules []float64

// Plot implements plot.Plotter.
func (rs rules) Plot(c draw.Canvas, p *plot.Plot) {
	tx, _ := p.Transforms(&c)
	line := draw.LineStyle{Color: grey, Width: 0.4, Dashes: []vg.Length{2, 2}}
	for _, r := range rs {
		if x := tx(r); c.ContainsX(x) {
			c.StrokeLine2(line, x, c.Min.Y, x, c.Max.Y)
		}
	}
}

// A tag is the label of one line or of several that stand together.
type tag struct {
	x, at       vg.Length // of the line, and of the label
	first, last string
}

func (t tag) text() string {
	if t.first == t.last {
		return t.first
	}
	return t.first + "–" + t.last
}

// arrange places labels between lo and hi without overlap, as near to their lines as that allows.
func arrange(tags []tag, sty draw.TextStyle, lo, hi vg.Length) []tag {
	const space = 3
	for distance := vg.Length(1); ; distance *= 2 {
		list := gather(tags, distance)
		var need vg.Length
		for _, t := range list {
			need += sty.Width(t.text()) + space
		}
		if need > hi-lo && len(list) > 1 {
			continue
		}
		// From the left, push what overlaps to the right; then from the right back; halfway is near to all, and stays within.
		right, left := make([]vg.Length, len(list)), make([]vg.Length, len(list))
		for i, end := 0, lo-space; i < len(list); i++ {
			half := sty.Width(list[i].text()) / 2
			right[i] = max(list[i].x, end+space+half)
			end = right[i] + half
		}
		for i, end := len(list)-1, hi+space; i >= 0; i-- {
			half := sty.Width(list[i].text()) / 2
			left[i] = min(list[i].x, end-space-half)
			end = left[i] - half
		}
		for i, end := len(list)-1, hi+space; i >= 0; i-- {
			half := sty.Width(list[i].text()) / 2
			list[i].at = min((left[i]+right[i])/2, end-space-half)
			end = list[i].at - half
		}
		for i, end := 0, lo-space; i < len(list); i++ {
			half := sty.Width(list[i].text()) / 2
			list[i].at = max(list[i].at, end+space+half)
			end = list[i].at + half
		}
		return list
	}
}

// gather joins neighbours that are nearer than distance.
func gather(tags []tag, distance vg.Length) []tag {
	var list []tag
	var end vg.Length
	for _, t := range tags {
		if n := len(list); n > 0 && t.x-end < distance {
			list[n-1].last = t.last
			list[n-1].x = (list[n-1].x + t.x) / 2
		} else {
			list = append(list, t)
		}
		end = t.x
	}
	return list
}
