package report

import (
	"image/color"
	"virtscope/analysis/metric"
	"virtscope/analysis/timeline"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A layer is a phase that is stacked.
type layer struct {
	name, metric string
	color        color.NRGBA
}

// startLayers are the phases of starts, in the order in which they pass.
var startLayers = []layer{
	{"provision", metric.DeployProvision, pale},
	{"hypervisor", metric.BootPhase + "hypervisor", grey},
	{"firmware", metric.BootPhase + "firmware", yellow},
	{"kernel", metric.BootPhase + "kernel", blue},
	{"init", metric.BootPhase + "init", black},
	{"modules", metric.BootPhase + "modules", sky},
	{"network", metric.BootPhase + "network", orange},
	{"prepare", metric.BootPhase + "prepare", faded(grey, 150)},
	{"load", metric.BootPhase + "load", red},
	{"resume", metric.BootPhase + "resume", black},
	{"identify", metric.BootPhase + "identify", faded(blue, 140)},
	{"memory", metric.BootPhase + "memory", faded(green, 140)},
	{"vCPUs", metric.BootPhase + "vcpus", faded(purple, 140)},
	{"frame", metric.BootPhase + "frame", purple},
	{"answer", metric.BootPhase + "answer", green},
	{"unattributed", metric.BootPhase + timeline.Unattributed, faded(black, 70)},
}

// stackFigure is the phases of a start, one upon the other, a bar a treatment.
func stackFigure(r Run) (Figure, bool) {
	return stacked(r, startLayers, "start-phases", "Phases of a start",
		"Phases of a guest's start by treatment, one after the other; a start from a saved state has other ones than a cold one. Each is the median over trials (of several guests, of each trial's median guest). Medians of phases need not add up to the median of the whole, from spawn to ready, which the black line marks.",
		metric.BootTotal, metric.DeployProvision)
}

// A stack is a treatment's bar: its layers in s, and the median of the whole where that is known.
type stack struct {
	name  string
	parts []float64
	whole float64
	known bool
}

// stacked draws layers. The whole begins after the layer before, where there is one.
func stacked(r Run, layers []layer, name, title, caption, whole, before string) (Figure, bool) {
	var stacks []stack
	used := make([]bool, len(layers))
	most := 0.0
	for _, g := range r.groups() {
		s := stack{name: g.name, parts: make([]float64, len(layers))}
		sum := 0.0
		for i, l := range layers {
			if m := g.summary(l.metric); m.Known > 0 && m.Median.Value > 0 {
				s.parts[i], used[i] = m.Median.Value, true
				sum += m.Median.Value
			}
		}
		if sum == 0 {
			continue
		}
		if m := g.summary(whole); m.Known > 0 && m.Censored == 0 {
			s.whole, s.known = m.Median.Value, true
			if b := g.summary(before); b.Known > 0 {
				s.whole += b.Median.Value
			}
		}
		most = max(most, sum, s.whole)
		stacks = append(stacks, s)
	}
	if len(stacks) == 0 {
		return Figure{}, false
	}
	return Figure{
		Name: name, Title: title, Caption: caption, height: vg.Length(len(stacks))*9*vg.Millimeter + 24*vg.Millimeter,
		draw: func(c draw.Canvas) { drawStacks(c, stacks, layers, used, most) },
	}, true
}

func drawStacks(c draw.Canvas, stacks []stack, layers []layer, used []bool, most float64) {
	var keys []key
	for i, l := range layers {
		if used[i] {
			keys = append(keys, key{label: l.name, color: l.color})
		}
	}
	var bars patches
	var wholes dots
	var heads headings
	y := 0.0
	for _, s := range stacks {
		heads = append(heads, heading{y, s.name})
		x := 0.0
		for i, v := range s.parts {
			if v > 0 {
				bars = append(bars, patch{x, x + v, y - 1.4, y - 0.6, layers[i].color})
				x += v
			}
		}
		if s.known {
			wholes = append(wholes, dot{x: s.whole, y: y - 1, color: black, shape: upright{1.2}, size: 6})
		}
		y -= 2
	}
	if len(wholes) > 0 {
		keys = append(keys, key{label: "median of the whole", color: black, glyph: upright{1.2}})
	}
	c = legend(c, keys)
	p := newPlot()
	p.X.Label.Text = "time (s)"
	p.X.Tick.Marker = plot.TickerFunc(ticks)
	p.Y.Tick.Marker = plot.ConstantTicks([]plot.Tick{{Value: 0, Label: "  "}}) // room for the first label beneath
	p.Y.Width, p.Y.Tick.Width, p.Y.Tick.Length = 0, 0, 0
	p.Add(bars, wholes, heads)
	p.X.Min, p.X.Max = 0, max(most*1.03, 1e-3)
	p.Y.Min, p.Y.Max = y+0.4, 0.6
	p.Draw(c)
}
