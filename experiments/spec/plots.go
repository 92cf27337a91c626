package spec

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Plot is a figure of the report, and of the run's folder.
type Plot struct {
	// Kind of figure: box (every trial), ecdf (the share of trials up to a value), line (medians over a factor of numbers), bars
	// (medians side by side), phases (median phases, stacked), gantt (phases of each trial over time), timeseries (throughput and
	// latency over time), heatmap and interaction (medians by two factors), qq (residuals against a normal distribution), drift
	// (values over the order of execution), predicted (what models say against what was measured). Required.
	Kind string `yaml:"kind" json:"kind" jsonschema:"enum=box,enum=ecdf,enum=line,enum=bars,enum=phases,enum=gantt,enum=timeseries,enum=heatmap,enum=interaction,enum=qq,enum=drift,enum=predicted,required"`
	// Metric that it shows, such as downtime, as trials.csv names it. Default: the headline of the action.
	Metric string `yaml:"metric,omitempty" json:"metric,omitempty"`
	// X is the path of the factor along the axis. Default: chosen from the factors.
	X string `yaml:"x,omitempty" json:"x,omitempty"`
	// By is the path of the factor in colours, or along the vertical axis of a heatmap. Default: chosen from the factors.
	By string `yaml:"by,omitempty" json:"by,omitempty"`
}

// plotRule is what a kind of figure reads, and needs.
type plotRule struct {
	metric, x, by bool
	number        bool // x is a factor of numbers
	two           bool // it takes two factors
}

var plotRules = map[string]plotRule{
	"box":         {metric: true, x: true, by: true},
	"ecdf":        {metric: true, by: true},
	"line":        {metric: true, x: true, by: true, number: true},
	"bars":        {metric: true, x: true, by: true},
	"phases":      {},
	"gantt":       {},
	"timeseries":  {},
	"heatmap":     {metric: true, x: true, by: true, two: true},
	"interaction": {metric: true, x: true, by: true, two: true},
	"qq":          {metric: true, by: true},
	"drift":       {metric: true, by: true},
	"predicted":   {metric: true},
}

// mostPlots bounds how many figures may be asked for.
const mostPlots = 50

// metricPattern is what a name of a metric may be. Which there are, the language does not know.
var metricPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

const plotsWant = "want a list of figures, such as - {kind: box, metric: downtime}"

// plots reads the list of figures.
func (d *decoder) plots(n *node, v reflect.Value) {
	if n.kind != sequence {
		d.fail(n, "plots", plotsWant)
		return
	}
	if len(n.items) > mostPlots {
		d.fail(n, "plots", fmt.Sprintf("want at most %d figures; these are %d", mostPlots, len(n.items)))
		return
	}
	var plots []Plot
	for i, item := range n.items {
		at := fmt.Sprintf("plots[%d]", i)
		p := Plot{}
		if item.tag == badTag || item.kind != mapping {
			d.bad[at] = true
			if item.tag != badTag {
				d.fail(item, at, plotsWant)
			}
			plots = append(plots, p)
			continue
		}
		d.group(item, reflect.ValueOf(&p).Elem(), at)
		if _, ok := item.get("kind"); !ok && !d.unknown[at] {
			d.bad[at] = true
			d.problems = append(d.problems, Problem{item.file, item.line, item.col, at + ".kind", "", "want the kind of figure: " + oneOf(plotKinds())})
		}
		plots = append(plots, p)
	}
	v.Set(reflect.ValueOf(plots))
}

// plotKinds are the kinds in the order of the language.
func plotKinds() []string {
	f, _ := fieldNamed(grammar().structs[reflect.TypeFor[Plot]()], "kind")
	return f.enum
}

// plots checks that figures name what exists, and what they can show.
func (c *checker) plots() {
	list := c.root.find("plots")
	if list == nil || c.reported.bad["plots"] || c.reported.bad["factors"] {
		return
	}
	for i, item := range list.items {
		at := fmt.Sprintf("plots[%d]", i)
		if i >= len(c.e.Plots) || item.kind != mapping || c.reported.bad[at] || c.reported.bad[at+".kind"] {
			continue
		}
		c.plot(item, c.e.Plots[i], at)
	}
}

func (c *checker) plot(item *node, p Plot, at string) {
	rule, ok := plotRules[p.Kind]
	if !ok {
		return // it was reported
	}
	var paths, numbers []string
	for _, f := range c.e.Factors {
		paths = append(paths, f.Path)
		if g, ok := grammar().factor(f.Path); ok && isNumber(g.scalar()) {
			numbers = append(numbers, f.Path)
		}
	}
	for _, k := range []struct {
		key, value string
		read       bool
		accepts    []string
		what       string
	}{
		{"metric", p.Metric, rule.metric, nil, ""},
		{"x", p.X, rule.x, paths, "want a factor of this experiment"},
		{"by", p.By, rule.by, paths, "want a factor of this experiment"},
	} {
		n := item.find(k.key)
		if n == nil || c.reported.bad[at+"."+k.key] {
			continue
		}
		switch {
		case !k.read:
			c.at(n, at+"."+k.key, k.value, fmt.Sprintf("want no %s: a figure of kind %s does not read it", k.key, p.Kind))
		case k.key == "metric" && !metricPattern.MatchString(k.value):
			c.at(n, at+".metric", k.value, "want a metric as trials.csv names it, such as downtime")
		case k.key == "metric":
		case !slices.Contains(k.accepts, k.value):
			c.at(n, at+"."+k.key, k.value, k.what+listed(k.accepts)+didYouMean(k.value, k.accepts))
		case k.key == "x" && rule.number && !slices.Contains(numbers, k.value):
			c.at(n, at+".x", k.value, "want a factor of numbers for a line"+listed(numbers)+"; for this one use box, bars or interaction")
		}
	}
	kind := item.find("kind")
	switch {
	case p.X != "" && p.X == p.By:
		c.at(item.find("by"), at+".by", p.By, "want another factor than x")
	case rule.number && p.X == "" && len(numbers) == 0:
		c.at(kind, at+".kind", p.Kind, "want a factor of numbers to draw a line over; this experiment has none: use box or bars")
	case rule.two && len(paths) < 2:
		c.at(kind, at+".kind", p.Kind, "want two factors for this kind"+listed(paths)+": use box or bars")
	}
}

func isNumber(t reflect.Type) bool {
	if isQuantity(t) {
		return true
	}
	switch t.Kind() {
	case reflect.Int, reflect.Uint64, reflect.Float64:
		return true
	}
	return false
}

// metricPlaces are where plots name metrics, by place in the list.
func metricPlaces(root *node) map[int]Problem {
	list := root.find("plots")
	if list == nil || list.kind != sequence {
		return nil
	}
	var places map[int]Problem
	for i, item := range list.items {
		if item.kind != mapping {
			continue
		}
		if n := item.find("metric"); n != nil {
			if places == nil {
				places = map[int]Problem{}
			}
			places[i] = Problem{n.file, n.line, n.col, fmt.Sprintf("plots[%d].metric", i), n.String(), ""}
		}
	}
	return places
}

// CheckMetrics asks known of each metric that plots name: it says what is wanted in its place, "" if there is such a metric. The
// error is Problems, at their places if e was read from a file.
func (e *Experiment) CheckMetrics(known func(name string) (want string)) error {
	var problems Problems
	for i, p := range e.Plots {
		if p.Metric == "" {
			continue
		}
		want := known(p.Metric)
		if want == "" {
			continue
		}
		problem, ok := e.metricPlaces[i]
		if !ok {
			problem = Problem{File: strings.TrimSpace(e.Name), Path: fmt.Sprintf("plots[%d].metric", i), Value: p.Metric}
		}
		problem.Want = want
		problems = append(problems, problem)
	}
	return problems.err()
}
