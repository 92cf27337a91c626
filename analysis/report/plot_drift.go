package report

import (
	"fmt"
	"math"
	"slices"
	"virtscope/analysis/stats"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// trendOf is the trend of a chart's treatments over the order of execution.
func trendOf(rows []chartRow) stats.Trend {
	var samples []stats.Sample
	for _, r := range rows {
		samples = append(samples, r.sample)
	}
	return stats.ExecutionTrend(samples)
}

// found reports whether a trend is more than chance explains.
func found(t stats.Trend) bool { return t.Test.Known && t.Test.P < 1-Confidence && t.Slope.Known }

func driftFigure(c chart) (Figure, error) {
	axis := newValueAxis(values(c.rows), c.unit, false)
	trend := trendOf(c.rows)
	caption := fmt.Sprintf("The %s of each trial over its place in the run%s. ", c.title, c.shown())
	switch t := trend.Test; {
	case !t.Known:
		caption += "Whether there is a trend cannot be told: " + t.Why + "."
	case found(trend):
		caption += fmt.Sprintf("There is a trend (%s, p = %.2g): %+.2g %% of a treatment's median from one trial to the next (Theil–Sen, the lines). What ran later is not what ran earlier.", t.Name, t.P, trend.Slope.Value*100)
	default:
		caption += fmt.Sprintf("No trend was found (%s, p = %.2g), so no line is drawn.", t.Name, t.P)
	}
	var keys []key
	if c.by != nil {
		keys = c.byKeys(false)
	} else if len(c.rows) > 1 {
		for i, r := range c.rows {
			l := lookOf(i)
			keys = append(keys, key{label: r.name, color: l.color, glyph: l.shape})
		}
	}
	if c.by == nil && len(c.rows) > len(seriesColors) {
		return Figure{}, fmt.Errorf("drift of %d treatments cannot tell them apart: choose by", len(c.rows))
	}
	if c.censored() {
		keys = append(keys, key{label: "larger: failed, or not seen to end", color: grey, glyph: upArrow{}})
	}
	return Figure{
		Title: capital(c.title) + " over the order of execution", Caption: caption + lackNote(c.rows) + axis.note(), height: 54*vg.Millimeter + legendRows(keys),
		draw: func(canvas draw.Canvas) { drawDrift(canvas, c, axis, trend, keys) },
	}, nil
}

// A trendLine is a treatment's: through the middle of its values and of their places.
type trendLine struct{ from, to, atFrom, atTo float64 }

func newTrendLine(data []stats.Datum, slope float64) trendLine {
	var places, list []float64
	for _, d := range data {
		places, list = append(places, float64(d.Order)), append(list, d.Value)
	}
	slices.Sort(places)
	slices.Sort(list)
	at, m := stats.Quantile(places, 0.5), stats.Quantile(list, 0.5)
	l := trendLine{from: places[0], to: places[len(places)-1]}
	l.atFrom, l.atTo = m+math.Abs(m)*slope*(l.from-at), m+math.Abs(m)*slope*(l.to-at)
	return l
}

func drawDrift(canvas draw.Canvas, c chart, axis valueAxis, trend stats.Trend, keys []key) {
	if len(keys) > 0 {
		canvas = legend(canvas, keys)
	}
	p := newPlot()
	axis.set(p, &p.Y, c.title)
	p.X.Label.Text = "place in the order of execution"
	p.X.Tick.Marker = plot.TickerFunc(wholeTicks)
	p.Add(grid())
	last := 1
	var marks dots
	for i, r := range c.rows {
		l := lookOf(i)
		if c.by != nil {
			l = lookOf(r.by)
		}
		data := r.known()
		for _, d := range data {
			last = max(last, d.Order)
			m := dot{x: float64(d.Order), y: axis.at(d.Value), color: faded(l.color, 220), shape: l.shape, size: 1.9}
			if d.Censored {
				m.shape, m.size = upArrow{}, 2.6
			}
			marks = append(marks, m)
		}
		if found(trend) && len(data) > 1 {
			line := newTrendLine(data, trend.Slope.Value)
			p.Add(painter(func(c draw.Canvas, p *plot.Plot) { line.paint(c, p, axis, l) }))
		}
	}
	p.Add(marks)
	p.X.Min, p.X.Max = 0, float64(last)+1
	p.Draw(canvas)
}

// wholeTicks are ticks at whole numbers alone.
func wholeTicks(lo, hi float64) []plot.Tick {
	return slices.DeleteFunc(ticks(lo, hi), func(t plot.Tick) bool { return t.Value != math.Trunc(t.Value) || t.Value < 1 })
}

func (t trendLine) paint(c draw.Canvas, p *plot.Plot, axis valueAxis, l look) {
	tx, ty := p.Transforms(&c)
	const steps = 16 // on a logarithmic axis it is bent
	var line []vg.Point
	for i := range steps + 1 {
		part := float64(i) / steps
		line = append(line, vg.Point{X: tx(t.from + part*(t.to-t.from)), Y: ty(axis.at(t.atFrom + part*(t.atTo-t.atFrom)))})
	}
	for _, points := range c.ClipLinesXY(line) {
		c.StrokeLines(draw.LineStyle{Color: l.color, Width: 0.9, Dashes: l.dash}, points)
	}
}
