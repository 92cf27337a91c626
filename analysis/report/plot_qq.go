package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"virtscope/analysis/stats"

	"gonum.org/v1/gonum/stat/distuv"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A residual is what a trial's value has beyond the mean of its treatment.
type residual struct {
	trial  string
	by     int
	value  float64
	normal float64 // the standard normal quantile of its rank
}

// residuals are those of all treatments, sorted, against normal quantiles at Blom's positions (Statistical Estimates and
// Transformed Beta-Variables, 1958). Treatments with a censored value have no mean, and those of one trial no residual: both are left out.
func residuals(rows []chartRow) (list []residual, left []string) {
	for _, r := range rows {
		switch s := r.summary; {
		case s.Known == 0:
			continue
		case s.Censored > 0:
			left = append(left, r.name+" (a value is a lower bound)")
			continue
		case s.Known < 2:
			left = append(left, r.name+" (one trial)")
			continue
		}
		for _, d := range r.known() {
			list = append(list, residual{trial: d.Trial, by: r.by, value: d.Value - r.summary.Mean})
		}
	}
	slices.SortFunc(list, func(a, b residual) int {
		if a.value != b.value {
			if a.value < b.value {
				return -1
			}
			return 1
		}
		return strings.Compare(a.trial, b.trial)
	})
	for i := range list {
		list[i].normal = distuv.UnitNormal.Quantile((float64(i+1) - 0.375) / (float64(len(list)) + 0.25))
	}
	return list, left
}

// quartileLine goes through the quartiles of residuals and of the normal distribution.
func quartileLine(list []residual) (slope, at0 float64) {
	var sorted []float64
	for _, r := range list {
		sorted = append(sorted, r.value)
	}
	q := distuv.UnitNormal.Quantile(0.75)
	low, high := stats.Quantile(sorted, 0.25), stats.Quantile(sorted, 0.75)
	return (high - low) / (2 * q), (high + low) / 2
}

// fewResiduals is below how many a straight line says nothing.
const fewResiduals = 4

func qqFigure(c chart) (Figure, error) {
	list, left := residuals(c.rows)
	if len(list) < fewResiduals {
		return Figure{}, fmt.Errorf("a qq of %s has %d residuals, and needs %d: treatments of two trials or more of which all values are known%s", c.metric, len(list), fewResiduals, orList(left))
	}
	var all []float64
	for _, r := range list {
		all = append(all, r.value)
	}
	axis := newValueAxis(all, c.unit, false)
	caption := fmt.Sprintf("What the %s of each trial has beyond the mean of its treatment, against the quantiles of a normal distribution: %d trials%s. On the line, which goes through the quartiles, they are normal; ends that bend away are heavy tails, or treatments that scatter differently.", c.title, len(list), c.shown())
	if len(left) > 0 {
		caption += " Left out: " + strings.Join(left, "; ") + "."
	}
	keys := c.byKeys(false)
	return Figure{
		Title: "Residuals of the " + c.title, Caption: caption, height: 58*vg.Millimeter + legendRows(keys),
		draw: func(canvas draw.Canvas) { drawQQ(canvas, c, list, axis, keys) },
	}, nil
}

func orList(left []string) string {
	if len(left) == 0 {
		return ""
	}
	return "; left out: " + strings.Join(left, "; ")
}

func drawQQ(canvas draw.Canvas, c chart, list []residual, axis valueAxis, keys []key) {
	if len(keys) > 0 {
		canvas = legend(canvas, keys)
	}
	p := newPlot()
	axis.set(p, &p.Y, "residual of the "+c.title)
	p.X.Label.Text = "normal quantile (standard deviations)"
	p.X.Tick.Marker = plot.TickerFunc(ticks)
	reach := math.Abs(list[0].normal) * 1.1
	p.X.Min, p.X.Max = -reach, reach
	slope, at0 := quartileLine(list)
	fitted, err := plotter.NewLine(plotter.XYs{{X: -reach, Y: axis.at(at0 - slope*reach)}, {X: reach, Y: axis.at(at0 + slope*reach)}})
	if err != nil {
		return // finite points are never refused
	}
	fitted.LineStyle = draw.LineStyle{Color: grey, Width: 0.8}
	p.Add(grid(), painter(func(c draw.Canvas, p *plot.Plot) {
		tx, ty := p.Transforms(&c)
		for _, points := range c.ClipLinesXY([]vg.Point{{X: tx(-reach), Y: ty(fitted.XYs[0].Y)}, {X: tx(reach), Y: ty(fitted.XYs[1].Y)}}) {
			c.StrokeLines(fitted.LineStyle, points)
		}
	}))
	var marks dots
	for _, r := range list {
		l := lookOf(r.by)
		marks = append(marks, dot{x: r.normal, y: axis.at(r.value), color: faded(l.color, 200), shape: l.shape, size: 1.9})
	}
	p.Add(marks)
	p.Draw(canvas)
}
