package report

import (
	"fmt"
	"slices"
	"virtscope/analysis/jobs"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// mostLeases is of how many guests each has a row in the figure.
const mostLeases = 40

// jobsFigure is a trial's guests, each a row, with the jobs that they had, and how many jobs waited.
func jobsFigure(t Trial) (Figure, bool) {
	r := t.Timeline.Jobs
	if r == nil || len(r.Guests) == 0 {
		return Figure{}, false
	}
	id, rows := t.Outcome.Trial.ID, min(len(r.Guests), mostLeases)
	caption := fmt.Sprintf("Trial %s (the median makespan of its treatment). A row is a guest, from when it was started until it was ended; colours are the jobs that it had, in turns. The line is how many jobs waited for a guest, in units of the rows.", id)
	if len(r.Guests) > rows {
		caption += fmt.Sprintf(" The first %d of %d guests are drawn.", rows, len(r.Guests))
	}
	return Figure{
		Name: "jobs-" + id, Title: "Jobs of " + treatmentName(t.Outcome.Trial), Caption: caption,
		width: captureWidth, height: vg.Length(rows)*3.6*vg.Millimeter + 26*vg.Millimeter,
		draw: func(c draw.Canvas) { drawJobs(c, r, t.Timeline.ActionBegin.Time, rows) },
	}, true
}

func drawJobs(c draw.Canvas, r *jobs.Report, origin int64, rows int) {
	since := func(ns int64) float64 { return float64(ns-origin) / 1e9 }
	var bars patches
	var names []plot.Tick
	end := 0.0
	for i, g := range r.Guests[:rows] {
		y := -float64(i)
		names = append(names, plot.Tick{Value: y, Label: g.Guest})
		bars = append(bars, patch{since(g.From.Time), since(g.To.Time), y - 0.4, y + 0.4, pale})
		end = max(end, since(g.To.Time))
	}
	type stretch struct {
		jobs.Run
		row int
	}
	var runs []stretch
	for _, j := range r.Jobs {
		for _, run := range j.Runs {
			row := slices.IndexFunc(r.Guests[:rows], func(g jobs.Lease) bool {
				return g.Guest == run.Guest && g.From.Time <= run.From.Time && run.From.Time <= g.To.Time
			})
			if row >= 0 {
				runs = append(runs, stretch{run, row})
			}
		}
	}
	slices.SortStableFunc(runs, func(a, b stretch) int { return int(min(1, max(-1, a.From.Time-b.From.Time))) })
	turn := map[int]int{}
	preempted := false
	for _, s := range runs {
		col := blue
		if turn[s.row]%2 == 1 {
			col = sky
		}
		turn[s.row]++
		if s.Preempted {
			col, preempted = orange, true
		}
		y := -float64(s.row)
		bars = append(bars, patch{since(s.From.Time), since(s.To.Time), y - 0.4, y + 0.4, col})
		end = max(end, since(s.To.Time))
	}
	keys := []key{{label: "guest without a job", color: pale}, {label: "jobs, in turns", color: blue, second: sky}}
	if preempted {
		keys = append(keys, key{label: "job that was preempted", color: orange})
	}
	p := newPlot()
	if line := waiting(r, rows); len(line) > 1 {
		keys = append(keys, key{label: "jobs that wait", color: red, line: true})
		curve, err := plotter.NewLine(line)
		if err == nil { // a line of finite points is never refused
			curve.LineStyle = draw.LineStyle{Color: red, Width: 0.9}
			p.Add(bars, curve)
			bars = nil
		}
	}
	if bars != nil {
		p.Add(bars)
	}
	c = legend(c, keys)
	p.X.Label.Text = "time since the request (s)"
	p.X.Tick.Marker = plot.TickerFunc(ticks)
	p.Y.Tick.Marker = plot.ConstantTicks(names)
	p.Y.Width, p.Y.Tick.Width, p.Y.Tick.Length = 0, 0, 0
	p.X.Min, p.X.Max = 0, max(end*1.01, 1e-3)
	p.Y.Min, p.Y.Max = -float64(rows)+0.4, 0.6
	p.Draw(c)
}

// waiting is how many jobs waited, from the lowest row upwards.
func waiting(r *jobs.Report, rows int) plotter.XYs {
	var line plotter.XYs
	low := -float64(rows) + 0.5
	for _, w := range r.Waiting {
		if n := len(line); n > 0 {
			line = append(line, plotter.XY{X: w.T, Y: line[n-1].Y})
		}
		line = append(line, plotter.XY{X: w.T, Y: min(0.5, low+w.V)})
	}
	return line
}
