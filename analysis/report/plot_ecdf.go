package report

import (
	"fmt"
	"slices"
	"virtscope/analysis/stats"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// An ecdfCurve is the share of a treatment's trials that are at most a value.
type ecdfCurve struct {
	name     string
	steps    plotter.XYs // the share from X on
	censored plotter.XYs // where a trial was lost to sight, on the curve
	n        int
}

// newECDF is the empirical distribution; of censored data, Kaplan and Meier's.
func newECDF(r chartRow) ecdfCurve {
	c := ecdfCurve{name: r.name, n: r.summary.Known}
	data := r.known()
	slices.SortFunc(data, func(a, b stats.Datum) int {
		switch {
		case a.Value < b.Value:
			return -1
		case a.Value > b.Value:
			return 1
		}
		return 0
	})
	if s := r.summary.Survival; s != nil {
		for _, step := range s.Steps {
			c.steps = append(c.steps, plotter.XY{X: step.Value, Y: 1 - step.Beyond})
		}
	} else {
		for i, d := range data {
			if i+1 < len(data) && data[i+1].Value == d.Value {
				continue
			}
			c.steps = append(c.steps, plotter.XY{X: d.Value, Y: float64(i+1) / float64(len(data))})
		}
	}
	for _, d := range data {
		if d.Censored {
			c.censored = append(c.censored, plotter.XY{X: d.Value, Y: c.at(d.Value)})
		}
	}
	return c
}

// at is the share that is at most v.
func (c ecdfCurve) at(v float64) float64 {
	share := 0.0
	for _, s := range c.steps {
		if s.X <= v {
			share = s.Y
		}
	}
	return share
}

func ecdfFigure(c chart) (Figure, error) {
	axis := newValueAxis(values(c.rows), c.unit, false)
	var curves []ecdfCurve
	var keys []key
	for i, r := range c.rows {
		if r.summary.Known == 0 {
			continue
		}
		cv := newECDF(r)
		place := i
		if c.by != nil {
			place, cv.name = r.by, c.by.levels[r.by]
		}
		l := lookOf(place)
		keys = append(keys, key{label: fmt.Sprintf("%s, n=%d", cv.name, cv.n), color: l.color, line: true, dash: l.dash})
		curves = append(curves, cv)
		if place >= len(seriesColors) && c.by == nil {
			return Figure{}, fmt.Errorf("an ecdf of %d treatments cannot tell them apart: choose by", len(c.rows))
		}
	}
	caption := fmt.Sprintf("The share of trials in which the %s was at most the value below%s; n is their number.", c.title, c.shown())
	if slices.ContainsFunc(curves, func(c ecdfCurve) bool { return len(c.censored) > 0 }) {
		keys = append(keys, key{label: "larger: failed, or not seen to end", color: grey, glyph: draw.PlusGlyph{}})
		caption += " With trials of which only a lower bound is known (crosses on the curve), it is Kaplan and Meier's estimate, which ends where no more is known; it assumes that when a trial was lost to sight says nothing of its value, which is not so of one that failed because it was slow."
	}
	return Figure{
		Title: "Distribution of the " + c.titled1(), Caption: caption + lackNote(c.rows) + axis.note(), height: 52*vg.Millimeter + legendRows(keys),
		draw: func(canvas draw.Canvas) { drawCurves(canvas, c, curves, axis, keys) },
	}, nil
}

// titled1 is titled within a sentence.
func (c chart) titled1() string { return c.title + c.titled()[len(c.title):] }

// legendRows is about the height that a legend of many long keys takes beyond its first row.
func legendRows(keys []key) vg.Length {
	sty := textStyle(smallText)
	var x, rows vg.Length
	for _, k := range keys {
		w := sty.Width(k.label) + 20
		if k.line && k.dash != nil {
			w += 9
		}
		if x+w > columnWidth && x > 0 {
			x = 0
			rows += 9.5
		}
		x += w
	}
	return rows
}

func drawCurves(canvas draw.Canvas, c chart, curves []ecdfCurve, axis valueAxis, keys []key) {
	canvas = legend(canvas, keys)
	p := newPlot()
	axis.set(p, &p.X, c.title)
	p.Y.Label.Text = "share of trials"
	p.Y.Tick.Marker = plot.ConstantTicks([]plot.Tick{{Value: 0, Label: "0"}, {Value: 0.25, Label: "0.25"}, {Value: 0.5, Label: "0.5"}, {Value: 0.75, Label: "0.75"}, {Value: 1, Label: "1"}})
	p.Y.Min, p.Y.Max = -0.015, 1.015
	p.Add(grid())
	for i, cv := range curves {
		place := slices.IndexFunc(c.rows, func(r chartRow) bool { return r.name == cv.name })
		if c.by != nil {
			place = slices.Index(c.by.levels, cv.name)
		}
		l := lookOf(place)
		p.Add(painter(func(canvas draw.Canvas, p *plot.Plot) { curves[i].paint(canvas, p, axis, l) }))
	}
	p.Draw(canvas)
}

func (cv ecdfCurve) paint(c draw.Canvas, p *plot.Plot, axis valueAxis, l look) {
	tx, ty := p.Transforms(&c)
	style := draw.LineStyle{Color: l.color, Width: 1.1, Dashes: l.dash}
	line := []vg.Point{{X: c.Min.X, Y: ty(0)}}
	level := ty(0)
	for _, s := range cv.steps {
		x := tx(axis.at(s.X))
		line = append(line, vg.Point{X: x, Y: level})
		level = ty(s.Y)
		line = append(line, vg.Point{X: x, Y: level})
	}
	end := c.Max.X
	if n := len(cv.censored); n > 0 && cv.at(cv.censored[n-1].X) < 1 {
		end = max(tx(axis.at(cv.censored[n-1].X)), line[len(line)-1].X) // beyond, nothing is known
	}
	c.StrokeLines(style, append(line, vg.Point{X: end, Y: level}))
	for _, x := range cv.censored {
		c.DrawGlyphNoClip(draw.GlyphStyle{Color: l.color, Radius: 2.5, Shape: draw.PlusGlyph{}}, vg.Point{X: tx(axis.at(x.X)), Y: ty(x.Y)})
	}
}
