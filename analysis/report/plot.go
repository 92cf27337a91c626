package report

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"virtscope/analysis/dataset"
	"virtscope/analysis/metric"
)

// A Plot is a figure that is asked for, by an experiment or by hand.
type Plot struct {
	Kind   string // one of PlotKinds
	Metric string // "" is the headline of the run's action
	X, By  string // paths of factors; "" is chosen from the design
}

// A plotKind draws a metric of a set of trials, or what the records of a run hold beside metrics.
type plotKind struct {
	name    string
	x, by   bool // it reads these
	metric  bool
	fromSet func(chart) (Figure, error) // one panel
	fromRun func(Run, Plot) ([]Figure, error)
}

func plotKinds() []plotKind {
	return []plotKind{
		{name: "box", x: true, by: true, metric: true, fromSet: boxFigure},
		{name: "ecdf", by: true, metric: true, fromSet: ecdfFigure},
		{name: "line", x: true, by: true, metric: true, fromSet: lineFigure},
		{name: "bars", x: true, by: true, metric: true, fromSet: barsFigure},
		{name: "phases", fromRun: phasesPlot},
		{name: "gantt", fromRun: ganttPlot},
		{name: "timeseries", fromRun: timeseriesPlot},
		{name: "heatmap", x: true, by: true, metric: true, fromSet: heatFigure},
		{name: "interaction", x: true, by: true, metric: true, fromSet: interactionFigure},
		{name: "qq", by: true, metric: true, fromSet: qqFigure},
		{name: "drift", by: true, metric: true, fromSet: driftFigure},
		{name: "predicted", metric: true, fromRun: predictedPlot},
	}
}

// PlotKinds are the names of what can be drawn.
func PlotKinds() []string {
	var list []string
	for _, k := range plotKinds() {
		list = append(list, k.name)
	}
	return list
}

// NeedsRecords reports whether a kind of figure is drawn from a run's records: the metrics of its trials are not enough.
func NeedsRecords(kind string) bool {
	return slices.ContainsFunc(plotKinds(), func(k plotKind) bool { return k.name == kind && k.fromRun != nil })
}

// check finds the kind, and what it does not read.
func (p Plot) check() (plotKind, error) {
	kinds := plotKinds()
	i := slices.IndexFunc(kinds, func(k plotKind) bool { return k.name == p.Kind })
	if i < 0 {
		return plotKind{}, fmt.Errorf("there is no figure of kind %q: use %s", p.Kind, strings.Join(PlotKinds(), ", "))
	}
	k := kinds[i]
	for _, given := range []struct {
		name, value string
		read        bool
	}{{"metric", p.Metric, k.metric}, {"x", p.X, k.x}, {"by", p.By, k.by}} {
		if given.value != "" && !given.read {
			return k, fmt.Errorf("a figure of kind %s has no %s: leave %q out", k.name, given.name, given.value)
		}
	}
	if p.X != "" && p.X == p.By {
		return k, fmt.Errorf("x and by are both %q: name two factors, or one of them alone", p.X)
	}
	return k, nil
}

// DrawPlot draws what is asked for: one figure, or one for each combination of the factors that the figure does not show.
func DrawPlot(r Run, p Plot) ([]Figure, error) {
	k, err := p.check()
	if err != nil {
		return nil, err
	}
	if k.fromRun != nil {
		return k.fromRun(r, p)
	}
	if p.Metric == "" {
		p.Metric = kindOf(r.groups()).headline
	}
	return DrawSet(r.Dataset(r.Manifest.Run), p)
}

// DrawSet is DrawPlot for the metrics of trials alone. Kinds for which NeedsRecords holds are an error.
func DrawSet(set dataset.Set, p Plot) ([]Figure, error) {
	k, err := p.check()
	if err != nil {
		return nil, err
	}
	if k.fromRun != nil {
		return nil, fmt.Errorf("a figure of kind %s is drawn from records: name the run's folder in place of %s", k.name, set.Name)
	}
	if p.Metric == "" {
		if p.Metric, err = headlineOf(set); err != nil {
			return nil, err
		}
	}
	charts, err := newCharts(set, p)
	if err != nil {
		return nil, err
	}
	var list []Figure
	for i, c := range charts {
		f, err := k.fromSet(c)
		if err != nil {
			return nil, err
		}
		f.Name = k.name + "-" + strings.ReplaceAll(p.Metric, ".", "-")
		if len(charts) > 1 {
			f.Name += fmt.Sprintf("-%d", i+1)
		}
		if c.panel != "" {
			f.Title += ": " + c.panel
		}
		f.Caption = strings.TrimSpace(f.Caption + " " + c.left)
		list = append(list, f)
	}
	return list, nil
}

// headlineOf is the first metric that a set without records is judged by.
func headlineOf(set dataset.Set) (string, error) {
	have := set.Metrics()
	if len(have) == 0 {
		return "", errors.New("no trial counts: there is nothing to draw")
	}
	// A deployment's makespan is its headline, which the name of its first metrics does not tell.
	for _, k := range []kind{bootKind(), jobsKind(), recoverKind(), migrationKind(), checkpointKind()} {
		if slices.Contains(have, k.headline) {
			return k.headline, nil
		}
	}
	if i := slices.IndexFunc(have, func(name string) bool { return metric.About(name).Headline }); i >= 0 {
		return have[i], nil
	}
	return have[0], nil
}
