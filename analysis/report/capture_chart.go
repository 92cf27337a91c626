package report

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"
	"virtscope/analysis/quantity"
	"virtscope/analysis/stream"
	"virtscope/analysis/timeline"
	"virtscope/results"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// stageColors are the colours of the stages' strip.
var stageColors = map[string]color.NRGBA{
	results.StageSetup: grey, results.StagePreCopy: sky, results.StageStopCopy: orange, results.StageDeviceState: black,
	results.StagePostCopy: green, results.StageSwitchOver: yellow, results.StageRunning: pale, stream.Unattributed: pale,
}

// A migrationChart is a migration's throughput with its stages, and beneath it what its rounds sent once more.
type migrationChart struct {
	m        *stream.Migration
	silence  *stream.Silence // of its guest, around the switch-over; nil if there is none
	from, to float64         // s since the first packet
}

func newMigrationChart(c *stream.Capture, m *stream.Migration) migrationChart {
	chart := migrationChart{m: m, to: float64(m.End.Time-m.Begin.Time) / 1e9}
	for _, g := range c.Guests {
		if s := g.Around; s != nil && s.To >= m.Begin.Time && s.From <= m.End.Time {
			chart.silence = s
			chart.to = max(chart.to, chart.since(s.To))
			break
		}
	}
	pad := max(chart.to*0.015, 1e-3)
	chart.from, chart.to = -pad, chart.to+pad
	return chart
}

func (mc migrationChart) since(ns int64) float64 { return float64(ns-mc.m.Begin.Time) / 1e9 }

func (mc migrationChart) draw(c draw.Canvas) {
	sty := textStyle(normalText)
	sty.YAlign = -1
	title := fmt.Sprintf("migration %s: %s, %s → %s", mc.m.Stream, mc.m.Format, mc.m.Client, mc.m.Server)
	c.FillText(sty, vg.Point{X: c.Min.X + 2, Y: c.Max.Y}, fit(sty, title, c.Max.X-c.Min.X-4))
	c = legend(draw.Crop(c, 0, 0, 0, -13), mc.keys())
	rows := [][]*plot.Plot{{mc.flow()}}
	if again, ok := mc.again(); ok {
		rows = append(rows, []*plot.Plot{again})
	}
	rows[len(rows)-1][0].X.Label.Text = "time since the first packet (s)"
	canvases := plot.Align(rows, draw.Tiles{Rows: len(rows), Cols: 1, PadY: 6}, c)
	for i := range rows {
		rows[i][0].Draw(canvases[i][0])
	}
}

// keys are the legend: the stages that occurred, with how long they lasted, and the shades.
func (mc migrationChart) keys() []key {
	keys := []key{{label: fmt.Sprintf("payload, mean over ≈ %s", quantity.Scaled(mc.mean(), mc.mean()/5, results.Seconds)), color: blue, line: true}}
	for _, p := range mc.m.Phases {
		label := p.Name
		if p.Begin.Inferred && p.Name != stream.Unattributed {
			label += " (inferred)"
		}
		if p.Duration.Known {
			label += " " + quantity.Brief(p.Duration)
		}
		keys = append(keys, key{label: label, color: stageColor(p.Name)})
	}
	if _, _, ok := mc.downtime(); ok {
		keys = append(keys, key{label: "guest stopped " + quantity.Show(mc.m.Downtime), color: stopped})
	}
	if mc.silence != nil {
		keys = append(keys, key{label: "guest silent " + quantity.Duration(float64(mc.silence.Length())/1e9), color: silent})
	}
	if len(mc.m.Rounds) > 0 {
		keys = append(keys, key{label: "round begins", color: grey, line: true, dash: []vg.Length{2, 2}})
	}
	return keys
}

func stageColor(name string) color.NRGBA {
	if c, ok := stageColors[name]; ok {
		return c
	}
	return pale
}

var stopped, silent = faded(red, 140), faded(purple, 80)

// downtime is from stop to start; ok is false if they are not both known.
func (mc migrationChart) downtime() (from, to float64, ok bool) {
	if d := mc.m.Downtime; !d.Known || d.Censored {
		return 0, 0, false
	}
	for _, s := range mc.m.Stages {
		switch s.Name {
		case results.StageStopCopy:
			from = mc.since(s.Begin.Time)
		case results.StageRunning:
			to = mc.since(s.Begin.Time)
		}
	}
	return from, to, to >= from
}

// shades are the outage over the panel's height.
func (mc migrationChart) shades(top float64) patches {
	var list patches
	if s := mc.silence; s != nil {
		list = append(list, patch{mc.since(s.From), mc.since(s.To), 0, top, silent})
	}
	if from, to, ok := mc.downtime(); ok {
		list = append(list, patch{from, to, 0, top, stopped})
	}
	return list
}

// begins are the rounds' beginnings, in order of time.
func (mc migrationChart) begins() marks {
	var list marks
	for _, r := range mc.m.Rounds {
		list = append(list, mark{mc.since(r.Begin.Time), strconv.Itoa(r.N)})
	}
	slices.SortStableFunc(list, func(a, b mark) int { return cmp.Compare(a.x, b.x) })
	return list
}

// mean is over how long the throughput is averaged, in s.
func (mc migrationChart) mean() float64 { return max(meanWidth, (mc.to-mc.from)/400, 2*mc.step()) }

// mostSteps bounds the points of the throughput.
const mostSteps = 8000

// step is the width of the throughput's bins, in s.
func (mc migrationChart) step() float64 {
	width := int64(math.MaxInt64)
	for _, b := range mc.m.Bins {
		width = min(width, b.Width)
	}
	if len(mc.m.Bins) == 0 {
		width = 1e6
	}
	return max(float64(width)/1e9, (mc.to-mc.from)/mostSteps)
}

// flow is the throughput over time, beneath a strip of the stages.
func (mc migrationChart) flow() *plot.Plot {
	p := newPlot()
	p.Y.Label.Text = "payload (MiB/s)"
	p.X.Tick.Marker = plot.TickerFunc(ticks)
	line := mc.throughput()
	var top float64
	for i := range line {
		line[i].Y /= 1 << 20
		top = max(top, line[i].Y)
	}
	top = max(top*1.06, 1e-6)
	p.Y.Tick.Marker = plot.TickerFunc(func(lo, _ float64) []plot.Tick { return ticks(lo, top) })
	p.Add(mc.shades(top))
	if len(line) > 0 {
		if curve, err := plotter.NewLine(line); err == nil { // a line of finite points is never refused
			curve.LineStyle = draw.LineStyle{Color: blue, Width: 1}
			p.Add(curve)
		}
	}
	var strip patches
	for _, ph := range mc.m.Phases {
		strip = append(strip, patch{mc.since(ph.Begin.Time), mc.since(ph.End.Time), top * 1.03, top * 1.1, stageColor(ph.Name)})
	}
	p.Add(strip, mc.begins())
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = mc.from, mc.to, 0, top*1.1
	return p
}

// throughput is the payload's rate in B/s, in even steps averaged; none if there are fewer than two.
func (mc migrationChart) throughput() plotter.XYs {
	step := mc.step()
	n := int((mc.to-mc.from)/step) + 1
	points := make([]timeline.Point, n)
	for i := range points {
		points[i].T = mc.from + float64(i+1)*step
	}
	for _, b := range mc.m.Bins {
		i := int((mc.since(b.Begin) + float64(b.Width)/2e9 - mc.from) / step)
		if i >= 0 && i < n {
			points[i].V += b.Bytes / step
		}
	}
	if n < 2 || len(mc.m.Bins) == 0 {
		return nil
	}
	var cuts []float64
	if from, to, ok := mc.downtime(); ok {
		cuts = []float64{from, to}
	}
	return means(points, cuts, mc.mean())
}

// again is how much of memory each round sent that an earlier one had: the working set over time. False: nobody knows.
func (mc migrationChart) again() (p *plot.Plot, ok bool) {
	size, unit := mc.m.PageSize.Value/(1<<20), "MiB"
	if !mc.m.PageSize.Known {
		size, unit = 1, "pages"
	}
	var bars patches
	var lines rules
	var top float64
	for _, r := range mc.m.Rounds {
		lines = append(lines, mc.since(r.Begin.Time))
		if !r.Resent.Known || r.End == nil {
			continue
		}
		v := r.Resent.Value * size
		top = max(top, v)
		bars = append(bars, patch{mc.since(r.Begin.Time), mc.since(r.End.Time), 0, v, green})
	}
	if len(bars) == 0 {
		return nil, false
	}
	p = newPlot()
	p.Y.Label.Text = "dirtied again (" + unit + ")"
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.TickerFunc(ticks), plot.TickerFunc(ticks)
	if top == 0 { // no page passed twice
		top = 1
		p.Y.Tick.Marker = plot.TickerFunc(func(float64, float64) []plot.Tick { return []plot.Tick{{Value: 0, Label: "0"}} })
	}
	top *= 1.08
	p.Add(mc.shades(top), bars, lines)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = mc.from, mc.to, 0, top
	return p, true
}
