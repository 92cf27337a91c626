package report

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"
	"virtscope/analysis/degradation"
	"virtscope/analysis/quantity"
	"virtscope/analysis/timeline"
	"virtscope/results"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// serviceColors are those of a trial's services.
var serviceColors = []color.NRGBA{blue, orange, green, purple, black, sky}

// mostRatio is the largest ratio that is drawn: what is made up for after an outage would dwarf all else.
const mostRatio = 2.0

// serviceFigure is what each service did over time, as a share of its baseline.
func serviceFigure(t Trial) (Figure, bool) {
	tl := t.Timeline
	var list []degradation.Service
	var bins []string
	for _, s := range tl.Services {
		if len(s.Series.Ratios) < 2 || len(list) == len(serviceColors) {
			continue
		}
		list = append(list, s)
		bins = append(bins, fmt.Sprintf("%s %s", s.Name, quantity.Duration(s.Bin)))
	}
	if len(list) == 0 {
		return Figure{}, false
	}
	id := t.Outcome.Trial.ID
	return Figure{
		Name: "service-" + id, Title: "What the guest did in " + treatmentName(t.Outcome.Trial),
		Caption: fmt.Sprintf("What was served or done in trial %s, as a share of the baseline; a step is a bin (%s). Requests: the share of those due that were answered, by arrival of the answer. What is more than twice the baseline, such as what was made up for after an outage, is an arrow at twice. Shades: the downtime, and links that were cut; dashed lines: rounds begin.", id, strings.Join(bins, ", ")),
		height:  48 * vg.Millimeter,
		draw:    func(c draw.Canvas) { drawService(c, tl, list) },
	}, true
}

func drawService(c draw.Canvas, t *timeline.Timeline, list []degradation.Service) {
	var keys []key
	for i, s := range list {
		keys = append(keys, key{label: s.Name, color: serviceColors[i], line: true})
	}
	c = legend(c, append(keys, stopKeys(t)...))
	p := newTimePlot(t, "of the baseline")
	top := 1.25
	for _, s := range list {
		for _, r := range s.Series.Ratios {
			top = max(top, min(mostRatio, r.Ratio)*1.05)
		}
	}
	p.Y.Min, p.Y.Max = 0, top
	p.Y.Tick.Marker = plot.TickerFunc(ticks)
	p.Add(stopShades(t, 0, top), grid(), roundMarks(t))
	for i, s := range slices.Backward(list) { // what clients asked comes first, and lies on top
		var bins []stepBin
		for _, r := range s.Series.Ratios {
			bins = append(bins, stepBin{r.T, r.T + r.Width, min(mostRatio, r.Ratio)})
		}
		addSteps(p, bins, draw.LineStyle{Color: serviceColors[i], Width: 1})
		p.Add(beyond(s.Series.Ratios, serviceColors[i], p.X.Max))
	}
	p.Draw(c)
}

// beyond marks the bins whose ratio is larger than drawn.
func beyond(points []degradation.RatioPoint, c color.NRGBA, end float64) dots {
	var list dots
	for _, r := range points {
		if mid := r.T + r.Width/2; r.Ratio > mostRatio && mid > -1 && mid < end {
			list = append(list, dot{x: mid, y: mostRatio, color: c, shape: upArrow{}, size: 2.2})
		}
	}
	return list
}

// grid is faint lines at the labelled ticks.
func grid() *plotter.Grid {
	g := plotter.NewGrid()
	style := draw.LineStyle{Color: pale, Width: 0.4}
	g.Vertical, g.Horizontal = style, style
	return g
}

// latencyFigures are the latencies of each load of requests over time.
func latencyFigures(t Trial) []Figure {
	var list []Figure
	tl := t.Timeline
	for _, s := range tl.Services {
		if !slices.ContainsFunc(s.Series.Latency, func(p degradation.LatencyPoint) bool { return p.P50 != nil }) {
			continue
		}
		id := t.Outcome.Trial.ID
		list = append(list, Figure{
			Name: "latency-" + id + strings.TrimPrefix(s.Name, "load"), Title: "Latency of " + s.Name + " in " + treatmentName(t.Outcome.Trial),
			Caption: fmt.Sprintf("Latency of the requests of %s (%s) in trial %s: half of those that were due in a bin took at most p50; p99 is the longest where fewer than 100 were due. A gap: none was due, or so many were never answered. The scale is logarithmic. Shades: the downtime, and links that were cut; dashed lines: rounds begin.", s.Name, s.Kind, id),
			height:  48 * vg.Millimeter,
			draw:    func(c draw.Canvas) { drawLatency(c, tl, s) },
		})
	}
	return list
}

func drawLatency(c draw.Canvas, t *timeline.Timeline, s degradation.Service) {
	lines := []struct {
		label string
		color color.NRGBA
		value func(degradation.LatencyPoint) *float64
	}{
		{"p99", red, func(p degradation.LatencyPoint) *float64 { return p.P99 }},
		{"p50", blue, func(p degradation.LatencyPoint) *float64 { return p.P50 }},
	}
	var keys []key
	p := newTimePlot(t, "latency")
	low, high := math.Inf(1), 0.0
	var drawn [][]stepBin
	for _, l := range lines {
		keys = append(keys, key{label: l.label, color: l.color, line: true})
		var bins []stepBin
		for _, x := range s.Series.Latency {
			v := l.value(x)
			if v == nil || x.T+x.Width < p.X.Min || x.T > p.X.Max {
				continue
			}
			y := max(*v, 1e-6)
			low, high = min(low, y), max(high, y)
			bins = append(bins, stepBin{x.T, x.T + x.Width, math.Log10(y)})
		}
		drawn = append(drawn, bins)
	}
	c = legend(c, append(keys, stopKeys(t)...))
	if high == 0 {
		low, high = 1e-3, 1
	}
	p.Y.Min, p.Y.Max = math.Log10(low/1.5), math.Log10(high*1.5)
	p.Y.Tick.Marker = plot.TickerFunc(func(lo, hi float64) []plot.Tick {
		list := timeLogTicks(math.Pow(10, lo), math.Pow(10, hi))
		for i := range list {
			if hi-lo < 1.2 { // too few decades to label these alone
				list[i].Label = strings.TrimSpace(quantity.Scaled(list[i].Value, 0.5*list[i].Value, results.Seconds))
			}
			list[i].Value = math.Log10(list[i].Value)
		}
		return list
	})
	p.Add(stopShades(t, p.Y.Min, p.Y.Max), grid(), roundMarks(t))
	for i, l := range lines {
		addSteps(p, drawn[i], draw.LineStyle{Color: l.color, Width: 1})
	}
	p.Draw(c)
}

// newTimePlot is an empty plot over the time from a second before the action to the end of the quiet time after it.
func newTimePlot(t *timeline.Timeline, y string) *plot.Plot {
	p := newPlot()
	p.X.Label.Text, p.Y.Label.Text = "time since the request (s)", y
	p.X.Tick.Marker = plot.TickerFunc(ticks)
	end := t.ActionEnd.Time
	for _, s := range t.States {
		if s.Name == results.StateQuiesce {
			end = max(end, s.End.Time)
		}
	}
	p.X.Min, p.X.Max = -1, float64(end-t.ActionBegin.Time)/1e9
	return p
}

// stopShades are the downtime and the cuts of links, over a panel's height.
func stopShades(t *timeline.Timeline, low, high float64) patches {
	var list patches
	if o := t.Outage(timeline.Downtime); o.Known && o.To > o.From {
		since := func(ns int64) float64 { return float64(ns-t.ActionBegin.Time) / 1e9 }
		list = append(list, patch{since(o.From), since(o.To), low, high, faded(red, 90)})
	}
	for _, cut := range linkCuts(t, high) {
		cut.y0 = low
		list = append(list, cut)
	}
	return list
}

func stopKeys(t *timeline.Timeline) []key {
	var keys []key
	if o := t.Outage(timeline.Downtime); o.Known && o.To > o.From {
		keys = append(keys, key{label: "downtime", color: faded(red, 90)})
	}
	if len(t.LinkDowns) > 0 {
		keys = append(keys, key{label: "link cut", color: cutLink})
	}
	if len(roundMarks(t)) > 0 {
		keys = append(keys, roundKey)
	}
	return keys
}

// A stepBin is a value that holds from one time to another.
type stepBin struct{ from, to, y float64 }

// addSteps draws bins as steps. Where some are missing, there is a gap.
func addSteps(p *plot.Plot, bins []stepBin, style draw.LineStyle) {
	var line plotter.XYs
	flush := func() {
		if l, err := plotter.NewLine(line); err == nil { // it is one of finite points, or none
			l.LineStyle = style
			p.Add(l)
		}
		line = nil
	}
	for _, b := range bins {
		from, to := max(b.from, p.X.Min), min(b.to, p.X.Max)
		if from >= to {
			continue
		}
		if n := len(line); n > 0 && from-line[n-1].X > 1e-6 {
			flush()
		}
		line = append(line, plotter.XY{X: from, Y: b.y}, plotter.XY{X: to, Y: b.y})
	}
	if len(line) > 0 {
		flush()
	}
}
