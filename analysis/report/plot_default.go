package report

import (
	"fmt"
	"slices"
	"strings"
)

// mostPlots bounds the figures that are drawn without having been asked for.
const mostPlots = 4

// heatFrom is from how many treatments a heat map is drawn without having been asked for.
const heatFrom = 12

// defaultPlots are chosen from the design: over one factor of numbers a line, over one of names boxes; of two, a line or bars and
// what shows both at once.
func defaultPlots(r Run) []Plot {
	var numbers, names []axis
	cells := 1
	for _, a := range axes(r.Dataset(r.Manifest.Run)) {
		if len(a.levels) < 2 {
			continue
		}
		cells *= len(a.levels)
		if a.values != nil {
			numbers = append(numbers, a)
		} else {
			names = append(names, a)
		}
	}
	switch {
	case len(numbers)+len(names) == 0:
		return []Plot{{Kind: "box"}}
	case len(numbers)+len(names) == 1 && len(numbers) == 1:
		return []Plot{{Kind: "line"}}
	case len(numbers)+len(names) == 1:
		return []Plot{{Kind: "box"}}
	}
	first := Plot{Kind: "bars"}
	if len(numbers) > 0 {
		first.Kind = "line"
	}
	if cells >= heatFrom {
		return []Plot{first, {Kind: "heatmap"}}
	}
	if first.Kind == "line" {
		return []Plot{first, {Kind: "box"}}
	}
	return []Plot{first, {Kind: "interaction"}}
}

// plots are the figures that the experiment asks for, or that its design suggests. Problems are why some could not be drawn; none
// of those that nobody asked for.
func (r Run) plots() (list []Figure, problems []string) {
	asked := r.Plots
	if len(asked) == 0 {
		asked = defaultPlots(r)
		// A trend over the order of execution spoils what all others say: it is shown where there is one.
		if charts, err := newCharts(r.Dataset(r.Manifest.Run), Plot{Kind: "drift", Metric: r.headlineName()}); err == nil && len(charts) > 0 && found(trendOf(charts[0].rows)) {
			asked = append(asked, Plot{Kind: "drift"})
		}
	}
	names := map[string]int{}
	for _, p := range asked {
		figures, err := DrawPlot(r, p)
		if err != nil {
			if len(r.Plots) > 0 {
				problems = append(problems, fmt.Sprintf("the figure %s of plots was not drawn: %v", p.Kind, err))
			}
			continue
		}
		if len(r.Plots) == 0 && len(list)+len(figures) > mostPlots {
			figures = figures[:min(len(figures), mostPlots-len(list))]
		}
		for _, f := range figures {
			if names[f.Name]++; names[f.Name] > 1 {
				f.Name += fmt.Sprintf("-again-%d", names[f.Name]) // the same kind and metric by other factors
			}
			list = append(list, f)
		}
	}
	return list, problems
}

// without leaves out figures that stand among others by the same name, and those of a metric that others draw.
func without(list, others []Figure, metric string) []Figure {
	dashed := strings.ReplaceAll(metric, ".", "-")
	return slices.DeleteFunc(slices.Clone(list), func(f Figure) bool {
		return slices.ContainsFunc(others, func(o Figure) bool {
			return o.Name == f.Name || metric != "" && f.Name == "compare-"+dashed && strings.HasSuffix(o.Name, "-"+dashed)
		})
	})
}
