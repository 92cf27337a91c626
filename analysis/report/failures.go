package report

import (
	"fmt"
	"virtscope/analysis/recovery"
	"virtscope/analysis/timeline"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// failuresFigure is a trial's checkpoints, failures and recoveries over time, and what each failure threw away.
func failuresFigure(t Trial) (Figure, bool) {
	tl := t.Timeline
	if tl.Recovery == nil || len(tl.Phases) == 0 {
		return Figure{}, false
	}
	id := t.Outcome.Trial.ID
	return Figure{
		Name: "failures-" + id, Title: "Failures of " + treatmentName(t.Outcome.Trial),
		Caption: fmt.Sprintf("Trial %s (the median recovery time of its treatment). Above: checkpoints, failures (crosses, when they were injected), and the time until each was detected and the guest was back. Below: what each failure threw away, from the guest's time that it was taken back to until the failure.", id),
		width:   captureWidth, height: 42 * vg.Millimeter,
		draw: func(c draw.Canvas) { drawFailures(c, tl) },
	}, true
}

func drawFailures(c draw.Canvas, t *timeline.Timeline) {
	since := func(ns int64) float64 { return float64(ns-t.ActionBegin.Time) / 1e9 }
	var bars patches
	used := map[string]bool{}
	for _, s := range t.Phases {
		kind := phaseKind(s.Name)
		if kind == timeline.PhaseRunning {
			continue
		}
		used[kind] = true
		bars = append(bars, patch{since(s.Start.Time), since(s.End.Time), 0.6, 1.4, phaseColor(kind)})
	}
	var crosses dots
	thrown := false
	for _, f := range t.Recovery.Failures {
		crosses = append(crosses, dot{x: since(f.Injected.Time), y: 1.65, color: black, shape: draw.CrossGlyph{}, size: 2.2})
		if f.Lost.Known {
			at := since(f.Effective.Time)
			bars = append(bars, patch{max(0, at-f.Lost.Value), at, -0.35, 0.25, purple})
			thrown = true
		}
	}
	var keys []key
	for _, kind := range []string{recovery.Saving, recovery.Undetected, recovery.Recovering} {
		if used[kind] {
			keys = append(keys, key{label: kind, color: phaseColor(kind)})
		}
	}
	if len(crosses) > 0 {
		keys = append(keys, key{label: "failure", color: black, glyph: draw.CrossGlyph{}})
	}
	if thrown {
		keys = append(keys, key{label: "lost, of the guest's time", color: purple})
	}
	c = legend(c, keys)
	p := newPlot()
	p.X.Label.Text = "time since the request (s)"
	p.X.Tick.Marker = plot.TickerFunc(ticks)
	p.Y.Tick.Marker = plot.ConstantTicks([]plot.Tick{{Value: 1, Label: "guest"}, {Value: 0, Label: "lost"}})
	p.Y.Width, p.Y.Tick.Width, p.Y.Tick.Length = 0, 0, 0
	p.Add(bars, crosses)
	p.X.Min, p.X.Max = 0, max(since(t.ActionEnd.Time)*1.01, 1e-3)
	p.Y.Min, p.Y.Max = -0.5, 1.9
	p.Draw(c)
}
