package report

import (
	"cmp"
	"fmt"
	"image/color"
	"slices"
	"strings"
	"virtscope/analysis/recovery"
	"virtscope/analysis/timeline"
	"virtscope/results"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// maxBars bounds the rows of the phase timeline; beyond, one trial a treatment is shown.
const maxBars = 60

// phaseFigure is the phases of each trial's action, grouped by treatment.
func phaseFigure(r Run) (Figure, bool) {
	groups := r.groups()
	caption := "Phases of each trial's action, from the request until it returned. A treatment is a group of rows, a trial a row, r1 its first replicate (r1×: a trial that failed; r1*: one that does not count). The legend says how long each phase was, from the shortest to the longest over the trials shown; what is too short to show is drawn as a hairline."
	total := 0
	for _, g := range groups {
		total += len(g.trials)
	}
	if total > maxBars {
		caption = "Phases of the action, from the request until it returned, of each treatment's trial of median total time (r1×: of those that failed, where none completed). The legend says how long each phase was, from the shortest to the longest over the trials shown; what is too short to show is drawn as a hairline."
		for i, g := range groups {
			groups[i].trials = nil
			if t, ok := g.shown(); ok {
				groups[i].trials = []Trial{t}
			}
		}
	}
	chart := newGantt(groups)
	if len(chart.bars) == 0 {
		return Figure{}, false
	}
	height := vg.Length(chart.rows)*3.2*vg.Millimeter + 22*vg.Millimeter
	return Figure{Name: "phases", Title: "Phases of the action", Caption: caption, height: height, draw: chart.draw}, true
}

type gantt struct {
	rows  int
	end   float64
	bars  patches
	heads headings
	ticks []plot.Tick
	spans map[string]span // by kind of phase
}

func newGantt(groups []group) *gantt {
	g := &gantt{spans: map[string]span{}}
	y := 0.0
	for _, group := range groups {
		first := true
		for _, t := range group.trials {
			if t.Timeline == nil || len(t.Timeline.Phases) == 0 {
				continue
			}
			if first {
				g.heads = append(g.heads, heading{y, group.name})
				y--
				first = false
			}
			label := fmt.Sprintf("r%d", t.Outcome.Trial.Replicate)
			switch {
			case !t.counted():
				label += "*"
			case t.Outcome.Verdict == results.Failed:
				label += "×"
			}
			g.ticks = append(g.ticks, plot.Tick{Value: y, Label: label})
			g.row(t.Timeline, y)
			y--
		}
	}
	g.rows = int(-y)
	// The short ones are drawn over the long ones, so that they show.
	slices.SortStableFunc(g.bars, func(a, b patch) int { return cmp.Compare(b.x1-b.x0, a.x1-a.x0) })
	return g
}

func (g *gantt) row(t *timeline.Timeline, y float64) {
	lengths := map[string]float64{}
	for i, c := range phaseColors(t.Phases) {
		s := t.Phases[i]
		lengths[phaseKind(s.Name)] += s.Duration().Seconds()
		from := float64(s.Start.Time-t.ActionBegin.Time) / 1e9
		to := float64(s.End.Time-t.ActionBegin.Time) / 1e9
		g.end = max(g.end, to)
		g.bars = append(g.bars, patch{from, to, y - 0.36, y + 0.36, c})
	}
	for kind, d := range lengths {
		have, ok := g.spans[kind]
		if !ok {
			have = span{d, d}
		}
		g.spans[kind] = span{min(have.least, d), max(have.most, d)}
	}
}

// phaseColors are the colours of a trial's phases. Its rounds take turns in two shades of blue.
func phaseColors(phases []timeline.Span) []color.NRGBA {
	var list []color.NRGBA
	rounds := 0
	for _, s := range phases {
		kind := phaseKind(s.Name)
		c := phaseColor(kind)
		if kind == preCopy {
			if rounds%2 == 1 {
				c = sky
			}
			rounds++
		}
		list = append(list, c)
	}
	return list
}

// restoring is the phase in which a guest comes back from its checkpoint.
const restoring = "restore"

// preCopy is the kind of phase that the rounds are.
const preCopy = "pre-copy"

func phaseKind(name string) string {
	if strings.HasPrefix(name, preCopy) {
		return preCopy
	}
	if strings.HasPrefix(name, recovery.Saving) {
		return recovery.Saving
	}
	return name
}

func phaseColor(kind string) color.NRGBA {
	switch kind {
	case timeline.PhaseSetup:
		return grey
	case preCopy:
		return blue
	case timeline.PhaseStopAndCopy, timeline.PhaseStop:
		return red
	case timeline.PhaseSwitchover, timeline.PhaseLoad:
		return orange
	case timeline.PhaseDiskCopy:
		return sky
	case timeline.PhasePostCopy, timeline.PhaseSnapshot:
		return purple
	case timeline.PhaseRecovery:
		return yellow
	case timeline.PhaseCompletion:
		return green
	case timeline.PhasePaused, timeline.PhaseCancelling, timeline.PhaseGivingUp:
		return black
	case recovery.Saving:
		return blue
	case recovery.Undetected:
		return red
	case recovery.Recovering, restoring:
		return orange
	}
	return pale
}

// kinds are the kinds of phases in the order of the legend.
var kinds = []string{
	timeline.PhaseSetup, timeline.PhaseDiskCopy, preCopy, timeline.PhaseStopAndCopy, timeline.PhaseSwitchover, timeline.PhaseLoad, timeline.PhasePostCopy,
	timeline.PhasePaused, timeline.PhaseRecovery, timeline.PhaseStop, timeline.PhaseSnapshot, timeline.PhaseCompletion,
	timeline.PhaseCancelling, timeline.PhaseGivingUp, recovery.Saving, recovery.Undetected, recovery.Recovering, restoring, timeline.PhaseRunning,
	timeline.Unattributed,
}

func (g *gantt) draw(c draw.Canvas) {
	var keys []key
	for _, kind := range kinds {
		s, ok := g.spans[kind]
		if !ok {
			continue
		}
		k := key{label: kind + " " + s.text(), color: phaseColor(kind)}
		if kind == preCopy {
			k.second = sky
			k.label = "pre-copy rounds " + s.text()
		}
		keys = append(keys, k)
	}
	c = legend(c, keys)
	p := newPlot()
	p.X.Label.Text = "time since the request (s)"
	p.X.Tick.Marker = plot.TickerFunc(ticks)
	p.Y.Tick.Marker = plot.ConstantTicks(g.ticks)
	p.Y.Tick.Width, p.Y.Width, p.Y.Tick.Length = 0, 0, 0
	p.Add(g.bars, g.heads)
	p.X.Min, p.X.Max = 0, max(g.end*1.01, 1e-3)
	p.Y.Min, p.Y.Max = -float64(g.rows)+0.4, 0.6
	p.Draw(c)
}
