package report

import (
	"cmp"
	"image/color"
	"slices"
	"virtscope/analysis/deploy"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A strand is a line of one trial, in the colour of its treatment.
type strand struct {
	line  plotter.XYs
	color color.NRGBA
	dash  []vg.Length
}

// A curveChart is curves on one pair of axes.
type curveChart struct {
	curves []strand
	keys   []key
	x, y   string
	top    float64 // of the axis; 0 is that of the curves
}

// deployments are each treatment's, of the trials that count and started several guests.
func deployments(r Run, each func(d *deploy.Deployment, c color.NRGBA, dash []vg.Length)) (keys []key) {
	n := 0
	for _, g := range r.groups() {
		style := curveStyles[n%len(curveStyles)]
		some := false
		for _, t := range g.trials {
			if t.counted() && t.Timeline.Deployment != nil && len(t.Timeline.Deployment.Starts) > 1 {
				each(t.Timeline.Deployment, style.color, style.dash)
				some = true
			}
		}
		if some {
			keys = append(keys, key{label: g.name, color: style.color, line: true, dash: style.dash})
			n++
		}
	}
	return keys
}

// curveStyles tell treatments apart.
var curveStyles = []struct {
	color color.NRGBA
	dash  []vg.Length
}{
	{blue, nil},
	{orange, nil},
	{green, nil},
	{purple, nil},
	{red, nil},
	{sky, nil},
	{black, nil},
	{grey, nil},
	{blue, []vg.Length{3, 2}},
	{orange, []vg.Length{3, 2}},
	{green, []vg.Length{3, 2}},
	{purple, []vg.Length{3, 2}},
}

// readyFigure is the distribution of the time from a guest's arrival until it is ready, a line a trial.
func readyFigure(r Run) (Figure, bool) {
	c := curveChart{x: "from a guest's arrival until it is ready (s)", y: "share of the trial's guests", top: 1}
	c.keys = deployments(r, func(d *deploy.Deployment, col color.NRGBA, dash []vg.Length) {
		c.curves = append(c.curves, strand{ecdf(d.Arrivals), col, dash})
	})
	return c.figure("ready", "Arrival to ready", "Share of a trial's guests that were ready so long after they had been asked for. A line is a trial, a colour a treatment. A line that ends below 1 is of a trial in which guests did not get ready.")
}

// ecdf is the steps of the empirical distribution. A censored value never comes: it is in the divisor alone, for all that is drawn
// lies before the times at which guests were given up, or is drawn no further than the first of them.
func ecdf(list []deploy.Sample) plotter.XYs {
	line := plotter.XYs{{X: 0, Y: 0}}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b deploy.Sample) int { return cmp.Compare(a.Value, b.Value) })
	n := 0
	for _, s := range list {
		if s.Censored {
			break
		}
		share := float64(n) / float64(len(list))
		n++
		line = append(line, plotter.XY{X: s.Value, Y: share}, plotter.XY{X: s.Value, Y: float64(n) / float64(len(list))})
	}
	return line
}

// kthFigure is how many guests were ready over the time since the first arrival, a line a trial.
func kthFigure(r Run) (Figure, bool) {
	c := curveChart{x: "time since the first arrival (s)", y: "guests that are ready"}
	c.keys = deployments(r, func(d *deploy.Deployment, col color.NRGBA, dash []vg.Length) {
		line := plotter.XYs{{X: 0, Y: 0}}
		for i, v := range d.Kth {
			line = append(line, plotter.XY{X: v, Y: float64(i)}, plotter.XY{X: v, Y: float64(i + 1)})
		}
		c.curves = append(c.curves, strand{line, col, dash})
	})
	return c.figure("kth-ready", "The k-th guest ready", "How many guests of a trial were ready so long after the first of them had been asked for. A line is a trial, a colour a treatment.")
}

// imageFigure is what came from image servers to each host, over time.
func imageFigure(t Trial) (Figure, bool) {
	c := curveChart{x: "time since the request (s)", y: "frames from image servers (MiB)"}
	if t.Timeline.Deployment == nil {
		return Figure{}, false
	}
	n := 0
	for _, i := range t.Timeline.Deployment.Images {
		if len(i.Series) == 0 {
			continue
		}
		style := curveStyles[n%len(curveStyles)]
		n++
		line := plotter.XYs{{X: 0, Y: 0}}
		for _, p := range i.Series {
			line = append(line, plotter.XY{X: p.T, Y: line[len(line)-1].Y}, plotter.XY{X: p.T, Y: p.V / (1 << 20)})
		}
		c.curves = append(c.curves, strand{line, style.color, style.dash})
		c.keys = append(c.keys, key{label: "to " + i.Host, color: style.color, line: true, dash: style.dash})
	}
	id := t.Outcome.Trial.ID
	return c.figure("images-"+id, "Images of "+treatmentName(t.Outcome.Trial), "Frames from image servers to each host at the capture, cumulative, in trial "+id+".")
}

// figure draws the chart; ok is false if it has no curve.
func (c curveChart) figure(name, title, caption string) (Figure, bool) {
	if len(c.curves) == 0 {
		return Figure{}, false
	}
	height := 52*vg.Millimeter + vg.Length(len(c.keys)/3)*3.5*vg.Millimeter
	return Figure{Name: name, Title: title, Caption: caption, height: height, draw: c.draw}, true
}

func (c curveChart) draw(canvas draw.Canvas) {
	canvas = legend(canvas, c.keys)
	p := newPlot()
	p.X.Label.Text, p.Y.Label.Text = c.x, c.y
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.TickerFunc(ticks), plot.TickerFunc(ticks)
	right, top := 1e-3, 1e-9
	for _, cv := range c.curves {
		line, err := plotter.NewLine(cv.line)
		if err != nil {
			continue // a line of finite points is never refused
		}
		line.LineStyle = draw.LineStyle{Color: faded(cv.color, 200), Width: 0.9, Dashes: cv.dash}
		p.Add(line)
		for _, q := range cv.line {
			right, top = max(right, q.X), max(top, q.Y)
		}
	}
	p.X.Min, p.X.Max = 0, right*1.03
	p.Y.Min, p.Y.Max = 0, top*1.05
	if c.top > 0 {
		p.Y.Max = c.top * 1.02
	}
	p.Draw(canvas)
}
