package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"virtscope/analysis/convergence"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/analysis/timeline"
	"virtscope/results"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// predictionBand is how far off a prediction may be within the shade, as a share of what was measured.
const predictionBand = 0.2

// A foresight is a model's prediction of a trial beside what was measured.
type foresight struct {
	trial, model        string
	measured, predicted quantity.Quantity
}

// foresights are those of the completed trials. Left counts, by model, predictions that have no number, such as that it does not converge.
func foresights(r Run, name string) (list []foresight, models []string, left map[string]int) {
	left = map[string]int{}
	for _, g := range r.groups() {
		for _, t := range g.trials {
			if t.Outcome.Verdict != results.Completed || t.Timeline == nil || t.Timeline.Convergence == nil {
				continue
			}
			measured := t.metric(name)
			for _, p := range t.Timeline.Convergence.Predictions {
				predicted := predictionOf(p, name)
				if !predicted.Known || !measured.Known || measured.Censored {
					left[p.Model]++
					continue
				}
				if !slices.Contains(models, p.Model) {
					models = append(models, p.Model)
				}
				list = append(list, foresight{t.Outcome.Trial.ID, p.Model, measured, predicted})
			}
		}
	}
	return list, models, left
}

func predictionOf(p convergence.Prediction, name string) quantity.Quantity {
	if name == timeline.Downtime {
		return p.Downtime
	}
	return p.Total
}

func predictedPlot(r Run, p Plot) ([]Figure, error) {
	if p.Metric == "" {
		p.Metric = timeline.TotalTime
	}
	if p.Metric != timeline.TotalTime && p.Metric != timeline.Downtime {
		return nil, fmt.Errorf("no model predicts %q: use %s or %s", p.Metric, timeline.TotalTime, timeline.Downtime)
	}
	list, models, left := foresights(r, p.Metric)
	if len(list) == 0 {
		return nil, fmt.Errorf("no model predicted the %s of a trial that completed: models know migrations, and only those of which their inputs were measured (virtscope show RUN TRIAL says what is missing)", p.Metric)
	}
	if len(models) > len(seriesColors) {
		models = models[:len(seriesColors)]
	}
	title := metric.About(p.Metric).Title
	var all, measured []float64
	for _, f := range list {
		all = append(all, f.measured.Value, f.predicted.Value)
		measured = append(measured, f.measured.Value)
	}
	y := newValueAxis(all, results.Seconds, false)
	x := newValueAxis(measured, results.Seconds, false)
	caption := fmt.Sprintf("The %s that models predicted, against what was measured: a mark is a model's prediction of a trial (%d of %d trials). On the line they agree; the shade is %.0f %% either way. Bars are the bounds of what was predicted, where it has some.", title, trialsOf(list), len(r.Trials), predictionBand*100)
	if len(left) > 0 {
		var text []string
		for m, n := range left {
			text = append(text, fmt.Sprintf("%s (%d)", m, n))
		}
		slices.Sort(text)
		caption += " Predictions without a number, such as that it never converges: " + strings.Join(text, "; ") + "."
	}
	keys := []key{}
	for i, m := range models {
		l := lookOf(i)
		keys = append(keys, key{label: m, color: l.color, glyph: l.shape})
	}
	keys = append(keys, key{label: fmt.Sprintf("± %.0f %%", predictionBand*100), color: pale})
	return []Figure{{
		Name: "predicted-" + strings.ReplaceAll(p.Metric, ".", "-"), Title: "Predicted against measured " + title, Caption: caption + y.note(),
		height: 72*vg.Millimeter + legendRows(keys), draw: func(c draw.Canvas) { drawForesights(c, list, models, x, y, title, keys) },
	}}, nil
}

func trialsOf(list []foresight) int {
	seen := map[string]bool{}
	for _, f := range list {
		seen[f.trial] = true
	}
	return len(seen)
}

func drawForesights(canvas draw.Canvas, list []foresight, models []string, x, y valueAxis, title string, keys []key) {
	canvas = legend(canvas, keys)
	p := newPlot()
	x.set(p, &p.X, "measured "+title)
	y.set(p, &p.Y, "predicted "+title)
	p.Add(grid(), painter(func(c draw.Canvas, p *plot.Plot) { paintDiagonal(c, p, x, y) }))
	p.Add(painter(func(c draw.Canvas, p *plot.Plot) {
		tx, ty := p.Transforms(&c)
		for _, f := range list {
			i := slices.Index(models, f.model)
			if i < 0 {
				continue
			}
			l := lookOf(i)
			at := vg.Point{X: tx(x.at(f.measured.Value)), Y: ty(y.at(f.predicted.Value))}
			if q := f.predicted; q.High > q.Low {
				low, high := ty(y.at(max(q.Low, y.low))), ty(y.at(min(q.High, y.high)))
				c.StrokeLine2(draw.LineStyle{Color: faded(l.color, 160), Width: 0.6}, at.X, low, at.X, high)
			}
			glyph := draw.GlyphStyle{Color: faded(l.color, 200), Radius: 2, Shape: l.shape}
			if f.predicted.Censored {
				glyph.Shape = upArrow{}
			}
			c.DrawGlyphNoClip(glyph, at)
		}
	}))
	p.Draw(canvas)
}

// paintDiagonal is where prediction and measurement agree, with the band.
func paintDiagonal(c draw.Canvas, p *plot.Plot, x, y valueAxis) {
	tx, ty := p.Transforms(&c)
	const steps = 40
	var upper, lower, middle []vg.Point
	for i := range steps + 1 {
		v := x.low + (x.high-x.low)*float64(i)/steps
		if x.log {
			v = x.low * math.Pow(x.high/x.low, float64(i)/steps)
		}
		at := tx(x.at(v))
		middle = append(middle, vg.Point{X: at, Y: ty(y.at(v))})
		upper = append(upper, vg.Point{X: at, Y: ty(y.at(v * (1 + predictionBand)))})
		lower = append(lower, vg.Point{X: at, Y: ty(y.at(v * (1 - predictionBand)))})
	}
	slices.Reverse(lower)
	c.FillPolygon(faded(pale, 150), c.ClipPolygonXY(append(upper, lower...)))
	for _, points := range c.ClipLinesXY(middle) {
		c.StrokeLines(draw.LineStyle{Color: black, Width: 0.7}, points)
	}
}
