package report

import (
	"errors"
	"fmt"
	"slices"
	"virtscope/analysis/stats"
	"virtscope/results"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ganttPlot is the phases of each trial.
func ganttPlot(r Run, _ Plot) ([]Figure, error) {
	f, ok := phaseFigure(r)
	if !ok {
		return nil, errors.New("no trial has phases of its action: of starts and checkpoints, use phases")
	}
	f.Name = "gantt"
	return []Figure{f}, nil
}

// timeseriesPlot is throughput, service and latency over time, of the typical trial of each treatment.
func timeseriesPlot(r Run, _ Plot) ([]Figure, error) {
	chosen, left := drawn(r.groups())
	var list []Figure
	for _, set := range trialFigures(chosen) {
		list = append(list, set.figures...)
	}
	if len(list) == 0 {
		return nil, errors.New("no trial that completed has a series over time")
	}
	if note := drawnNote(chosen, left, r.Manifest.Run); note != "" {
		for i := range list {
			list[i].Caption += " " + note
		}
	}
	return list, nil
}

// phasesPlot is the median phases of each treatment: those of starts, checkpoints, restores and recoveries, or of the migration.
func phasesPlot(r Run, _ Plot) ([]Figure, error) {
	var list []Figure
	for _, draw := range []func(Run) (Figure, bool){stackFigure, savingFigure, restoreFigure, recoveryFigure, migrationStack} {
		if f, ok := draw(r); ok {
			list = append(list, f)
		}
	}
	if len(list) == 0 {
		return nil, errors.New("no trial has phases whose length is known")
	}
	return list, nil
}

// migrationStack is the phases of the action by kind: each the median over trials of how long it was in all.
func migrationStack(r Run) (Figure, bool) {
	if !kindOf(r.groups()).migrates {
		return Figure{}, false
	}
	var stacks []stack
	used := make([]bool, len(kinds))
	most := 0.0
	var layers []layer
	for _, kind := range kinds {
		layers = append(layers, layer{name: kind, color: phaseColor(kind)})
	}
	for _, g := range r.groups() {
		s := stack{name: g.name, parts: make([]float64, len(kinds))}
		sum := 0.0
		for i, kind := range kinds {
			var lengths []float64
			for _, t := range g.trials {
				if t.counted() && t.Outcome.Verdict == results.Completed && len(t.Timeline.Phases) > 0 {
					lengths = append(lengths, phaseLength(t, kind))
				}
			}
			if slices.Sort(lengths); len(lengths) > 0 {
				s.parts[i] = stats.Quantile(lengths, 0.5)
			}
			used[i] = used[i] || s.parts[i] > 0
			sum += s.parts[i]
		}
		if sum == 0 {
			continue
		}
		if m := g.summary(r.headlineName()); m.Known > 0 && m.Censored == 0 {
			s.whole, s.known = m.Median.Value, true
		}
		most = max(most, sum, s.whole)
		stacks = append(stacks, s)
	}
	if len(stacks) == 0 {
		return Figure{}, false
	}
	caption := "Phases of the migrations that completed, by treatment: each is the median over trials of how long it was in all, one kind after the other, rounds of pre-copy together. Medians of phases need not add up to the median of the whole, which the black line marks."
	if n := len(r.groups()) - len(stacks); n > 0 {
		caption += fmt.Sprintf(" No trial of %d treatments completed: they have no bar.", n)
	}
	return Figure{
		Name: "migration-phases", Title: "Phases of the migration", Caption: caption, height: vg.Length(len(stacks))*9*vg.Millimeter + 26*vg.Millimeter,
		draw: func(c draw.Canvas) { drawStacks(c, stacks, layers, used, most) },
	}, true
}

func (r Run) headlineName() string { return kindOf(r.groups()).headline }

// phaseLength is for how long a trial was in phases of a kind, in s.
func phaseLength(t Trial, kind string) float64 {
	sum := 0.0
	for _, s := range t.Timeline.Phases {
		if phaseKind(s.Name) == kind {
			sum += s.Duration().Seconds()
		}
	}
	return sum
}
