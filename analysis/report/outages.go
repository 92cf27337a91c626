package report

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"
	"virtscope/analysis/quantity"
	"virtscope/analysis/timeline"
	"virtscope/results"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// The views of the outage, as the figure shows them.
var views = []struct {
	metric, label string
	color         color.NRGBA
}{
	{timeline.Downtime, "downtime", red},
	{timeline.BlackoutWire, "wire", purple},
	{timeline.BlackoutClient, "client", blue},
	{timeline.BlackoutGuest, "guest", green},
}

// outageFigure is every trial's outage, as each of four observers saw it, by treatment.
func outageFigure(r Run) (Figure, bool) {
	chart := newOutageChart(r.groups())
	if len(chart.values) == 0 {
		return Figure{}, false
	}
	caption := "The outage as four observers saw it: the hypervisors' events (downtime), the guest's frames at the switch, a client's probes, and the guest's own ticker. A dot is a trial, an upright line the median; an arrow is a trial in which it lasted longer than it was observed, a ring one in which the silence began before the migration was asked for, and counts from then on. The bracket is the median noise floor: the same estimate on the undisturbed baseline."
	if !kindOf(r.groups()).migrates {
		caption = strings.Replace(caption, "before the migration was asked for", "before the action was asked for", 1)
	}
	if chart.log {
		caption += fmt.Sprintf(" Values below %s are drawn at the left edge.", timeLabel(chart.low))
	}
	height := vg.Length(chart.rows)*3.4*vg.Millimeter + 20*vg.Millimeter
	return Figure{Name: "outages", Title: "Outage by treatment", Caption: caption, height: height, draw: chart.draw}, true
}

type outageChart struct {
	rows      int
	log       bool
	low, high float64
	values    []value
	heads     headings
	ticks     []plot.Tick
}

// A value is something at a place in s on a row.
type value struct {
	y, s float64
	dot
}

func newOutageChart(groups []group) *outageChart {
	o := &outageChart{}
	y := 0.0
	for _, g := range groups {
		o.heads = append(o.heads, heading{y, g.name})
		y--
		for _, v := range views {
			o.ticks = append(o.ticks, plot.Tick{Value: y, Label: v.label})
			o.view(g, v.metric, v.color, y)
			y--
		}
	}
	o.rows = int(-y)
	o.scale()
	return o
}

func (o *outageChart) view(g group, metric string, c color.NRGBA, y float64) {
	add := func(s float64, d dot) { o.values = append(o.values, value{y, s, d}) }
	if floor := g.summary(metric + timeline.FloorSuffix); floor.Known > 0 {
		add(floor.Median.Value, dot{color: grey, shape: bracket{}, size: 3})
	}
	n := 0
	for _, t := range g.trials {
		q := t.metric(metric)
		if !t.counted() || !q.Known {
			continue
		}
		n++
		d := dot{color: faded(c, 170), shape: draw.CircleGlyph{}, size: 1.7, swarm: true}
		switch {
		case q.Censored:
			d = dot{color: c, shape: rightArrow{}, size: 2.6}
		case t.early(metric):
			d.color, d.shape = c, draw.RingGlyph{}
		}
		add(q.Value, d)
	}
	if n > 1 {
		add(g.summary(metric).Median.Value, dot{color: black, shape: upright{1}, size: 3.6})
	}
}

// scale chooses a logarithmic axis where the values range over more than a factor of 20.
func (o *outageChart) scale() {
	least, most := math.Inf(1), 0.0
	for _, v := range o.values {
		most = max(most, v.s)
		if v.s > 0 {
			least = min(least, v.s)
		}
	}
	if most == 0 {
		o.low, o.high = 0, 1e-3
		return
	}
	if most/least <= 20 {
		o.low, o.high = 0, most*1.08
		return
	}
	o.log = true
	o.low = max(least*0.8, most*1e-5, 1e-5)
	o.high = most * 1.3
}

func (o *outageChart) draw(c draw.Canvas) {
	keys := []key{
		{label: "trial", color: grey, glyph: draw.CircleGlyph{}},
		{label: "median", color: black, glyph: upright{1}},
		{label: "noise floor", color: grey, glyph: bracket{}},
	}
	for _, k := range []key{
		{label: "longer than observed", color: grey, glyph: rightArrow{}},
		{label: "began before the request", color: grey, glyph: draw.RingGlyph{}},
	} {
		if slices.ContainsFunc(o.values, func(v value) bool { return v.shape == k.glyph }) {
			keys = append(keys, k)
		}
	}
	c = legend(c, keys)
	p := newPlot()
	place, unit := o.axis()
	p.X.Label.Text = "length of the outage (" + unit + ")"
	p.X.Tick.Marker = plot.TickerFunc(ticks)
	if o.log {
		p.X.Tick.Marker = plot.TickerFunc(func(lo, hi float64) []plot.Tick {
			list := timeLogTicks(math.Pow(10, lo), math.Pow(10, hi))
			for i := range list {
				list[i].Value = place(list[i].Value)
			}
			return list
		})
	}
	var all dots
	for _, v := range o.values {
		d := v.dot
		d.x, d.y = place(max(v.s, o.low)), v.y
		all = append(all, d)
	}
	p.Y.Tick.Marker = plot.ConstantTicks(o.ticks)
	p.Y.Tick.Width, p.Y.Tick.Length = 0, 0
	p.X.Min, p.X.Max = place(o.low), place(o.high)
	p.Add(o.stripes(p.X.Min, p.X.Max), all, o.heads)
	p.Y.Min, p.Y.Max = -float64(o.rows)+0.4, 0.6
	p.Draw(c)
}

// axis is where a value in s lies on the axis, and what to call its unit. The logarithm is ours, because the plot's own
// logarithmic scale takes the middle of its label for the arithmetic one and makes room for it.
func (o *outageChart) axis() (place func(s float64) float64, unit string) {
	if o.log {
		return math.Log10, "logarithmic scale"
	}
	factor, unit := quantity.ScaleOf(o.high, results.Seconds)
	return func(s float64) float64 { return s / factor }, unit
}

// stripes shades every other row from lo to hi, to lead the eye.
func (o *outageChart) stripes(lo, hi float64) patches {
	var list patches
	for i, t := range o.ticks {
		if i%2 == 0 {
			list = append(list, patch{lo, hi, t.Value - 0.5, t.Value + 0.5, faded(black, 14)})
		}
	}
	return list
}
