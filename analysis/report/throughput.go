package report

import (
	"fmt"
	"strconv"
	"virtscope/analysis/timeline"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// throughputFigure is the migration's payload over time, with the rounds' beginnings, the downtime and the guest's
// silence at the switch.
func throughputFigure(t Trial) (Figure, bool) {
	tl := t.Timeline
	if len(tl.Throughput.Points) < 2 {
		return Figure{}, false
	}
	id := t.Outcome.Trial.ID
	return Figure{
		Name: "throughput-" + id, Title: "Throughput of " + treatmentName(t.Outcome.Trial),
		Caption: fmt.Sprintf("Payload of the migration at the switch in trial %s (the median total time of its treatment). Each step is a mean; none crosses the edge of the downtime or of a silence. Dashed lines: rounds begin. Shades: the guest was stopped (downtime), and the gap in its frames at the switch.", id),
		height:  48 * vg.Millimeter,
		draw:    func(c draw.Canvas) { drawThroughput(c, tl) },
	}, true
}

// cutLink shades the time for which a link was cut.
var cutLink = faded(yellow, 170)

// linkCuts are the times for which links were cut, over a panel's height.
func linkCuts(t *timeline.Timeline, top float64) patches {
	var list patches
	for _, d := range t.LinkDowns {
		list = append(list, patch{float64(d.From-t.ActionBegin.Time) / 1e9, float64(d.To-t.ActionBegin.Time) / 1e9, 0, top, cutLink})
	}
	return list
}

// roundKey is the legend of roundMarks.
var roundKey = key{label: "round begins", color: grey, line: true, dash: []vg.Length{2, 2}}

// roundMarks are where the rounds begin.
func roundMarks(t *timeline.Timeline) marks {
	var list marks
	for _, r := range t.Rounds {
		if r.N > 0 {
			list = append(list, mark{float64(r.Start.Time-t.ActionBegin.Time) / 1e9, strconv.Itoa(r.N)})
		}
	}
	return list
}

func drawThroughput(c draw.Canvas, t *timeline.Timeline) {
	points := t.Throughput.Points
	since := func(ns int64) float64 { return float64(ns-t.ActionBegin.Time) / 1e9 }
	var cuts []float64
	if o := t.Outage(timeline.Downtime); o.Known && o.To > o.From {
		cuts = []float64{since(o.From), since(o.To)}
	}
	width := max(meanWidth, points[1].T-points[0].T)
	line := means(points, cuts, width)
	var top float64
	for i := range line {
		line[i].Y /= 1 << 20
		top = max(top, line[i].Y)
	}
	top = max(top*1.08, 1e-6)
	payload := fmt.Sprintf("payload, mean over ≈ %.0f ms", width*1e3)
	keys := []key{{label: payload, color: blue, line: true}}
	var shades patches
	for _, s := range []struct {
		name, label string
		color       [4]uint8
	}{
		{timeline.BlackoutWire, "gap in guest's frames", [4]uint8{purple.R, purple.G, purple.B, 80}},
		{timeline.Downtime, "downtime", [4]uint8{red.R, red.G, red.B, 140}},
	} {
		o := t.Outage(s.name)
		if !o.Known || o.To <= o.From {
			continue
		}
		shade := faded(black, s.color[3])
		shade.R, shade.G, shade.B = s.color[0], s.color[1], s.color[2]
		shades = append(shades, patch{since(o.From), since(o.To), 0, top, shade})
		keys = append(keys, key{label: s.label, color: shade})
	}
	if cuts := linkCuts(t, top); len(cuts) > 0 {
		shades = append(shades, cuts...)
		keys = append(keys, key{label: "link cut", color: cutLink})
	}
	rounds := roundMarks(t)
	if len(rounds) > 0 {
		keys = append(keys, roundKey)
	}
	c = legend(c, keys)
	p := newPlot()
	p.X.Label.Text = "time since the request (s)"
	p.Y.Label.Text = "payload (MiB/s)"
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.TickerFunc(ticks), plot.TickerFunc(ticks)
	curve, err := plotter.NewLine(line)
	if err != nil {
		return // a line of finite points is never refused
	}
	curve.LineStyle = draw.LineStyle{Color: blue, Width: 1}
	p.Add(shades, curve, rounds)
	p.X.Min, p.X.Max = line[0].X, line[len(line)-1].X
	p.Y.Min, p.Y.Max = 0, top
	p.Draw(c)
}
