package report

import (
	"math"
	"strconv"
	"strings"
	"virtscope/analysis/quantity"
	"virtscope/results"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
)

// A valueAxis is where values of a metric lie: linear in a unit fit for reading, or logarithmic where they are all above 0 and
// the largest is more than wideRange times the smallest.
type valueAxis struct {
	log       bool
	low, high float64 // in the metric's unit
	factor    float64
	name      string
	unit      results.Unit
}

// newValueAxis holds all values. A linear one begins at 0 if it must, or if 0 is not far.
func newValueAxis(values []float64, u results.Unit, zero bool) valueAxis {
	least, most := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		least, most = min(least, v), max(most, v)
	}
	a := valueAxis{unit: u}
	if least > 0 && most/least > wideRange && !zero {
		a.log, a.low, a.high = true, least*0.75, most*1.35
		return a
	}
	pad := (most - least) * 0.06
	if pad == 0 {
		pad = max(math.Abs(most)*0.05, 1e-9)
	}
	a.low, a.high = least-pad, most+pad
	if least >= 0 && (zero || least < 0.4*most) {
		a.low = 0
	}
	if zero && most <= 0 {
		a.high = 0
	}
	if a.high <= a.low {
		a.high = a.low + 1
	}
	a.factor, a.name = quantity.ScaleOf(max(math.Abs(least), math.Abs(most)), u)
	return a
}

// at is where v lies; what is below a logarithmic axis lies on its edge.
func (a valueAxis) at(v float64) float64 {
	if a.log {
		return math.Log10(max(v, a.low))
	}
	return v / a.factor
}

func (a valueAxis) label(title string) string {
	if a.log {
		return title + " (log)"
	}
	if a.name == "" {
		return title
	}
	return title + " (" + a.name + ")"
}

// axisLength is how long the label of a vertical axis may be: about the height of the lowest figure's area.
const axisLength = 48 * vg.Millimeter

// set puts the axis on a plot's.
func (a valueAxis) set(p *plot.Plot, on *plot.Axis, title string) {
	room := axisLength
	if on == &p.X {
		room = plotArea
	}
	on.Label.Text = fit(textStyle(normalText), a.label(title), room)
	on.Min, on.Max = a.at(a.low), a.at(a.high)
	on.Tick.Marker = plot.TickerFunc(ticks)
	if a.log {
		on.Tick.Marker = plot.TickerFunc(func(lo, hi float64) []plot.Tick { return a.logTicks(math.Pow(10, lo), math.Pow(10, hi)) })
	}
}

// text writes a value with its unit.
func (a valueAxis) text(v float64) string {
	factor, unit := quantity.ScaleOf(v, a.unit)
	return strings.TrimSpace(strconv.FormatFloat(v/factor, 'g', 3, 64) + " " + unit)
}

// logTicks are at 1, 2 and 5 of each decade, or at 1 alone where there are many; of amounts of data, at powers of 2.
func (a valueAxis) logTicks(lo, hi float64) []plot.Tick {
	var list []plot.Tick
	add := func(v float64) {
		if v >= lo*0.999 && v <= hi*1.001 {
			list = append(list, plot.Tick{Value: math.Log10(v), Label: a.text(v)})
		}
	}
	if a.unit == results.Bytes || a.unit == results.BytesPerSecond {
		step := math.Pow(2, math.Ceil(math.Log2(hi/lo)/6))
		for v := math.Pow(2, math.Floor(math.Log2(lo))); v <= hi; v *= step {
			add(v)
		}
		return list
	}
	steps := []float64{1, 2, 5}
	if hi/lo > 1e3 {
		steps = []float64{1}
	}
	for e := math.Floor(math.Log10(lo)); e <= math.Log10(hi); e++ {
		for _, f := range steps {
			add(f * math.Pow(10, e))
		}
	}
	return list
}
