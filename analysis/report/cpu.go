package report

import (
	"fmt"
	"image/color"
	"strings"
	"virtscope/analysis/timeline"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// cpuFigure is the CPU use over time: the source's hypervisor above, the destination's below, the machines in both.
func cpuFigure(t Trial) (Figure, bool) {
	tl := t.Timeline
	if len(tl.CPU) == 0 {
		return Figure{}, false
	}
	id := t.Outcome.Trial.ID
	return Figure{
		Name: "cpu-" + id, Title: "CPU use of " + treatmentName(t.Outcome.Trial),
		Caption: fmt.Sprintf("CPU use in trial %s: the hypervisor's process at the source (above) and at the destination (below), its vCPU and migration threads, and the whole machine on which it runs. A rate holds from one sample to the next. The kernel counts a machine's use in clock ticks, which miss short runs, so that it may lie below that of one process. The shade is the downtime.", id),
		height:  78 * vg.Millimeter,
		draw:    func(c draw.Canvas) { drawCPU(c, tl) },
	}, true
}

type curve struct {
	suffix, label string
	color         color.NRGBA
	dash          []vg.Length
}

var curves = []curve{
	{"", "hypervisor process", black, nil},
	{" vCPU", "its vCPU threads", blue, nil},
	{" migration", "its migration threads", green, nil},
	{"machine", "whole machine", faded(grey, 160), []vg.Length{3, 2}},
}

func drawCPU(c draw.Canvas, t *timeline.Timeline) {
	var keys []key
	for _, k := range curves {
		keys = append(keys, key{label: k.label, color: k.color, line: true, dash: k.dash})
	}
	keys = append(keys, key{label: "downtime", color: faded(red, 90)})
	if len(t.LinkDowns) > 0 {
		keys = append(keys, key{label: "link cut", color: cutLink})
	}
	c = legend(c, keys)
	plots := [][]*plot.Plot{{cpuPlot(t, "source")}, {cpuPlot(t, "destination")}}
	plots[1][0].X.Label.Text = "time since the request (s)"
	canvases := plot.Align(plots, draw.Tiles{Rows: 2, Cols: 1, PadY: 4}, c)
	for i := range plots {
		plots[i][0].Draw(canvases[i][0])
	}
}

func cpuPlot(t *timeline.Timeline, role string) *plot.Plot {
	p := newPlot()
	p.Y.Label.Text = role + " (cores)"
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.TickerFunc(ticks), plot.TickerFunc(ticks)
	from, to, top := extent(t.CPU)
	p.Add(linkCuts(t, top))
	if o := t.Outage(timeline.Downtime); o.Known && o.To > o.From {
		since := func(ns int64) float64 { return float64(ns-t.ActionBegin.Time) / 1e9 }
		p.Add(patches{{since(o.From), since(o.To), 0, top, faded(red, 90)}})
	}
	host := t.Source
	if role == "destination" {
		host = t.Destination
	}
	for i := len(curves) - 1; i >= 0; i-- {
		k := curves[i]
		for _, s := range t.CPU {
			if !matches(s, role, host, k.suffix, t.CPU) {
				continue
			}
			l, err := plotter.NewLine(steps(s.Points))
			if err != nil {
				continue // a line of finite points is never refused
			}
			l.LineStyle = draw.LineStyle{Color: k.color, Width: 0.8, Dashes: k.dash}
			p.Add(l)
		}
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = from, to, 0, top
	return p
}

// steps draws each rate over the time for which it holds. The first one's beginning is not known; it is drawn as a point.
func steps(points []timeline.Point) plotter.XYs {
	line := plotter.XYs{{X: points[0].T, Y: points[0].V}}
	for i := 1; i < len(points); i++ {
		line = append(line, plotter.XY{X: points[i-1].T, Y: points[i].V}, plotter.XY{X: points[i].T, Y: points[i].V})
	}
	return line
}

// matches reports whether a series belongs into the panel of a role. Where only one machine was sampled, it is that of
// both roles; else the one of that host's name.
func matches(s timeline.Series, role, host, suffix string, all []timeline.Series) bool {
	if suffix != "machine" {
		return s.Label == role+suffix
	}
	if s.Label != "machine" {
		return false
	}
	n := 0
	for _, other := range all {
		if other.Label == "machine" {
			n++
		}
	}
	return n == 1 || strings.EqualFold(s.Host, host)
}

func extent(all []timeline.Series) (from, to, top float64) {
	first := true
	for _, s := range all {
		for _, p := range s.Points {
			if first {
				from, to, first = p.T, p.T, false
			}
			from, to, top = min(from, p.T), max(to, p.T), max(top, p.V)
		}
	}
	return from, max(to, from+1e-3), max(top*1.08, 0.1)
}
