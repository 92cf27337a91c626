package validity

import (
	"fmt"
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
		list = []Line{{fmt.Sprintf("none of %d", counted), false}}
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

// A check looks at one metric's samples, one a treatment. It says what it found, and what it found if p, corrected, is below Alpha.
type check func(samples []stats.Sample) (t stats.Test, found, not string)

// headlines makes a check of each headline metric, with p corrected over them.
func headlines(set dataset.Set, c check) []Line {
	var names, found, not []string
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
		t, yes, no := c(samples)
		names, tests, found, not = append(names, name), append(tests, t), append(found, yes), append(not, no)
		if t.Known {
			ps = append(ps, t.P)
		}
	}
	if len(names) == 0 {
		return []Line{{"no trial has a headline metric", false}}
	}
	adjusted := stats.Holm(ps)
	var list []Line
	for i, t := range tests {
		if !t.Known {
			list = append(list, Line{names[i] + ": cannot be told: " + t.Why, false})
			continue
		}
		sure := fmt.Sprintf(" (%s, p = %.2g, Holm-corrected over %d)", t.Name, adjusted[0], len(ps))
		if adjusted[0] < Alpha {
			list = append(list, Line{names[i] + ": " + found[i] + sure, true})
		} else {
			list = append(list, Line{names[i] + ": " + not[i] + sure, false})
		}
		adjusted = adjusted[1:]
	}
	return list
}

func drift(samples []stats.Sample) (t stats.Test, found, not string) {
	trend := stats.ExecutionTrend(samples)
	size := "by an amount that is not known: " + trend.Slope.Why
	if trend.Slope.Known {
		size = fmt.Sprintf("by %+.2g %% of a treatment's median from one trial to the next", 100*trend.Slope.Value)
	}
	return trend.Test, "trials that ran later differ, " + size, "no trend over the order of execution"
}

// warmUpSeed is of the permutations: the same run gives the same figures.
const warmUpSeed = 1

func warmUp(samples []stats.Sample) (t stats.Test, found, not string) {
	w := stats.DetectWarmUp(samples, warmUpSeed)
	trials := fmt.Sprintf("the first %d trials differ", w.First)
	if w.First == 1 {
		trials = "the first trial differs"
	}
	return w.Test, fmt.Sprintf("%s by %+.2g %% from those after: the run was warming up, or something changed", trials, 100*w.Change.Value),
		"the first trials are like those after"
}
