package report

import (
	"fmt"
	"image/color"
	"math"
	"virtscope/analysis/timeline"
)

// viewColors tell the views of the outage apart.
var viewColors = map[string]color.NRGBA{
	timeline.Downtime: red, timeline.BlackoutWire: blue, timeline.BlackoutClient: orange, timeline.BlackoutGuest: green,
}

// newSeriesHead is the marks of a trial: phases, the views of the outage that have a place in time, and pre-copy rounds.
func newSeriesHead(tl *timeline.Timeline, traces timeline.Traces) seriesHead {
	head := seriesHead{From: float64(traces.From) / 1e9, To: float64(traces.To) / 1e9}
	at := func(t int64) float64 { return math.Round(float64(t-tl.ActionBegin.Time)/stepUnit) / 1e6 }
	for i, c := range phaseColors(tl.Phases) {
		s := tl.Phases[i]
		head.Phases = append(head.Phases, seriesSpan{s.Name, hex(c), at(s.Start.Time), at(s.End.Time)})
	}
	for _, o := range tl.Outages {
		c, ok := viewColors[o.Name]
		if !ok || !o.Known || o.From == 0 && o.To == 0 {
			continue
		}
		head.Views = append(head.Views, seriesSpan{o.Name, hex(c), at(o.From), at(o.To)})
	}
	for _, r := range tl.Rounds {
		if r.N > 0 && phaseKind(r.Name) == preCopy {
			head.Rounds = append(head.Rounds, seriesRound{r.N, at(r.Start.Time)})
		}
	}
	return head
}

func hex(c color.NRGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// packed are the trial's series: those that were packed from all its records, or else what the timeline kept for print.
func (t Trial) packed() (Series, error) {
	if len(t.Series) > 0 || t.Timeline == nil {
		return t.Series, nil
	}
	tl := t.Timeline
	all := timeline.Traces{From: -1e9, To: tl.End.Time - tl.ActionBegin.Time}
	for i, s := range append([]timeline.Series{tl.Throughput}, tl.CPU...) {
		one := timeline.Trace{Panel: timeline.PanelCPU, Label: s.Label, Unit: s.Unit, Rate: true}
		if i == 0 {
			one.Panel = timeline.PanelLink
		}
		if s.Host != "" {
			one.Label = s.Host + " " + s.Label
		}
		for _, p := range s.Points {
			one.T, one.V = append(one.T, int64(math.Round(p.T*1e9))), append(one.V, p.V)
		}
		if len(one.T) > 1 {
			all.List = append(all.List, one)
		}
	}
	return Pack(tl, all)
}
