package validity

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"virtscope/analysis/dataset"
	"virtscope/analysis/metric"
	"virtscope/analysis/stats"
)

// Alpha is the chance of any false alarm among the headline metrics of a run, of each kind of check.
const Alpha = 0.05

// A Line is one thing that a reader must know. Found says that it is a reason for doubt.
type Line struct {
	Text  string
	Found bool
}

// A Part is lines on one subject.
type Part struct {
	Title string
	Lines []Line
}

// Titles of the parts.
const (
	SpoiledTitle = "spoiled trials"
	OrderTitle   = "drift over the order of execution"
	WarmUpTitle  = "warm-up over the trials"
)

// Review says what spoiled trials, and whether figures depend on when a trial was run. Spoil must have filled in the set's trials.
func Review(set dataset.Set) []Part {
	return []Part{
		{SpoiledTitle, append(spoiled(set), without(set)...)},
		{OrderTitle, headlines(set, drift)},
		{WarmUpTitle, headlines(set, warmUp)},
	}
}

// spoiled names the spoiled trials, or says that there are none, and what could not be judged.
func spoiled(set dataset.Set) []Line {
	var list []Line
	counted := 0
	for _, t := range set.Trials {
		if t.Counted() {
			counted++
		}
		if len(t.Spoiled) > 0 {
			list = append(list, Line{fmt.Sprintf("%s: %s", t.ID, strings.Join(t.Spoiled, "; ")), true})
		}
	}
	if counted == 0 {
		return []Line{{"no trial counts", false}}
	}
	if n := len(list); n > 0 {
		head := fmt.Sprintf("the machine was too noisy in %d of %d trials; they stay in all figures", n, counted)
		list = append([]Line{{head, true}}, list...)
	} else {
		judged := 0
		for _, t := range set.Trials {
			if t.Counted() && Judged(t.Metrics) {
				judged++
			}
		}
		list = []Line{{fmt.Sprintf("none of the %d trials that could be judged", judged), false}}
		if judged == 0 {
			list = []Line{{"cannot be told: nobody observed the machine", false}}
		}
	}
	if set.Assumed != "" {
		list = append([]Line{{set.Assumed, true}}, list...)
	}
	return append(list, unjudged(set)...)
}

// unjudged says by which metrics trials could not be judged, and why: each reason once.
func unjudged(set dataset.Set) []Line {
	type gap struct {
		why    string
		names  []string
		trials map[string]bool
	}
	var gaps []*gap
	counted := 0
	for _, t := range set.Trials {
		if !t.Counted() {
			continue
		}
		counted++
		for _, r := range rules {
			m, ok := t.Metric(r.metric)
			why := m.Why
			switch {
			case ok && m.Known:
				continue
			case !ok:
				why = "the trial has no such metric"
			}
			i := slices.IndexFunc(gaps, func(g *gap) bool { return g.why == why })
			if i < 0 {
				i = len(gaps)
				gaps = append(gaps, &gap{why: why, trials: map[string]bool{}})
			}
			gaps[i].trials[t.ID] = true
			if !slices.Contains(gaps[i].names, r.metric) {
				gaps[i].names = append(gaps[i].names, r.metric)
			}
		}
	}
	var list []Line
	for _, g := range gaps {
		list = append(list, Line{fmt.Sprintf("%d of %d trials could not be judged by %s: %s", len(g.trials), counted, strings.Join(g.names, ", "), g.why), false})
	}
	return list
}

// A check looks at one metric's samples, one a treatment. Size is by how much it stands out, where p, corrected, is below Alpha.
type check struct {
	found, not string
	look       func(samples []stats.Sample) (t stats.Test, size string)
}

// headlines makes a check of each headline metric, with p corrected over them: a line for those that it finds something of, one for the
// others, and one for each reason for which it cannot be told.
func headlines(set dataset.Set, c check) []Line {
	var names, sizes []string
	var tests []stats.Test
	var ps []float64
	for _, name := range set.Metrics() {
		if !metric.About(name).Headline {
			continue
		}
		var samples []stats.Sample
		for _, t := range set.Treatments() {
			s, _, err := t.Sample(name)
			if err != nil {
				continue // two units of one metric: who compares them says so
			}
			samples = append(samples, s)
		}
		t, size := c.look(samples)
		p := math.NaN()
		if t.Known {
			p = t.P
		}
		names, tests, sizes, ps = append(names, name), append(tests, t), append(sizes, size), append(ps, p)
	}
	if len(names) == 0 {
		return []Line{{"no trial has a headline metric", false}}
	}
	var found, not, whys []string
	lacking := map[string][]string{}
	how, family := "", 0
	for i, p := range stats.Holm(ps) {
		switch t := tests[i]; {
		case !t.Known:
			if lacking[t.Why] == nil {
				whys = append(whys, t.Why)
			}
			lacking[t.Why] = append(lacking[t.Why], names[i])
			continue
		case p < Alpha:
			found = append(found, fmt.Sprintf("%s %s (p = %.2g)", names[i], sizes[i], p))
		default:
			not = append(not, fmt.Sprintf("%s (p = %.2g)", names[i], p))
		}
		how, family = tests[i].Name, family+1
	}
	how = fmt.Sprintf("; %s, Holm-corrected over %d", how, family)
	var list []Line
	if len(found) > 0 {
		list = append(list, Line{c.found + ": " + strings.Join(found, ", ") + how, true})
	}
	if len(not) > 0 {
		list = append(list, Line{c.not + ": " + strings.Join(not, ", ") + how, false})
	}
	for _, why := range whys {
		list = append(list, Line{"cannot be told of " + strings.Join(lacking[why], ", ") + ": " + why, false})
	}
	return list
}

var drift = check{
	found: "trials that ran later differ, by a share of a treatment's median from one trial to the next",
	not:   "no trend was found",
	look: func(samples []stats.Sample) (stats.Test, string) {
		trend := stats.ExecutionTrend(samples)
		if !trend.Slope.Known {
			return trend.Test, "by an amount that is not known: " + trend.Slope.Why
		}
		return trend.Test, fmt.Sprintf("%+.2g %%", 100*trend.Slope.Value)
	},
}

// warmUpSeed is of the permutations: the same run gives the same figures.
const warmUpSeed = 1

var warmUp = check{
	found: "the first trials differ from those after: the run was warming up, or something changed",
	not:   "no warm-up was found",
	look: func(samples []stats.Sample) (stats.Test, string) {
		w := stats.DetectWarmUp(samples, warmUpSeed)
		return w.Test, fmt.Sprintf("%+.2g %% in the first %d", 100*w.Change.Value, w.First)
	},
}
