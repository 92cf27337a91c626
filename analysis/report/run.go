// Package report presents a run: a table, tidy CSV, figures and one HTML file.
//
// Nothing is measured or merged here: every number is a timeline's or a summary of one metric over the trials of a
// treatment, and what is not known is shown as such, with its reason.
package report

import (
	"cmp"
	"slices"
	"strings"
	"virtscope/analysis/published"
	"virtscope/analysis/quantity"
	"virtscope/analysis/stats"
	"virtscope/analysis/timeline"
	"virtscope/analysis/validity"
	"virtscope/results"
)

// Confidence of the intervals that the report states.
const Confidence = 0.95

// A Run is what is reported. It need not be complete: trials that have not ended are simply not there.
type Run struct {
	Paper     published.Paper // whose experiment it repeats; nothing if none
	Published []published.Row // its figures beside what was measured

	State []string // what must be known of how the run went: that it has not ended, or that a tool changed

	Manifest results.Manifest
	Spec     string // the experiment's text; "" if it is not at hand
	Planned  int    // trials that the plan holds, without those that were not needed; 0 if not known
	Skipped  int    // trials that were not needed, by the manifest's rule
	Trials   []Trial
	// Noise is how much the experiment allows to go on at the machine, which may be nothing at all; nil: that is not known, NoNoise says why, and
	// validity.Defaults stand in, which the report then tells.
	Noise   *validity.Limits
	NoNoise string
	Plots   []Plot // that the experiment asks for; none: they are chosen from the design
}

// A Trial is one attempt that ended.
type Trial struct {
	Outcome results.Outcome
	// Timeline is nil if the records could not be read; Problem then says why.
	Timeline *timeline.Timeline
	Problem  string
	// Series are what the viewer shows, of all records; without them it shows what the timeline keeps for print.
	Series Series
}

// counted reports whether a trial is data: invalid and interrupted ones are not.
func (t Trial) counted() bool { return t.Outcome.Verdict.Final() && t.Timeline != nil }

// metric is a metric of the trial, or why it has none.
func (t Trial) metric(name string) quantity.Quantity {
	if t.Timeline == nil {
		return quantity.Quantity{Why: t.Problem}
	}
	return t.Timeline.Metric(name).Quantity
}

// A group is the trials of one treatment in the order of replicates.
type group struct {
	name   string
	levels []results.Level
	trials []Trial
	fewest *group // the treatment with the fewest guests whose other levels are the same; nil where that is no factor
}

// groups lists the treatments in the order of the experiment's levels.
func (r Run) groups() []group {
	var list []group
	index := map[string]int{}
	for _, t := range r.Trials {
		key := t.Outcome.Trial.Treatment
		i, ok := index[key]
		if !ok {
			i = len(list)
			index[key] = i
			list = append(list, group{name: treatmentName(t.Outcome.Trial), levels: t.Outcome.Trial.Levels})
		}
		list[i].trials = append(list[i].trials, t)
	}
	for _, g := range list {
		slices.SortStableFunc(g.trials, func(a, b Trial) int {
			return cmp.Compare(a.Outcome.Trial.Replicate, b.Outcome.Trial.Replicate)
		})
	}
	slices.SortStableFunc(list, func(a, b group) int { return slices.Compare(r.rank(a), r.rank(b)) })
	fewest(list)
	return list
}

// rank is the place of each of a group's levels in its factor.
func (r Run) rank(g group) []int {
	var places []int
	for _, l := range g.levels {
		place := len(g.levels)
		for _, f := range r.Manifest.Factors {
			if f.Path == l.Factor {
				place = slices.Index(f.Levels, l.Value)
			}
		}
		places = append(places, place)
	}
	return places
}

// treatmentName is what a reader calls a treatment: its levels. Of several factors, the last part of each path is enough where
// no two share it.
func treatmentName(t results.Trial) string {
	if len(t.Levels) == 0 {
		return "all trials"
	}
	short := map[string]int{}
	for _, l := range t.Levels {
		short[shortName(l.Factor)]++
	}
	var names []string
	for _, l := range t.Levels {
		name := l.Factor
		if s := shortName(l.Factor); len(t.Levels) > 1 && short[s] == 1 {
			name = s
		}
		names = append(names, name+" "+l.Value)
	}
	return strings.Join(names, ", ")
}

// summary is a metric over the group's trials that count.
func (g group) summary(metric string) stats.Summary {
	return stats.Summarise(g.sample(metric), Confidence)
}

// sample is one value a trial that counts.
func (g group) sample(metric string) stats.Sample {
	var data []stats.Datum
	for _, t := range g.trials {
		if t.counted() {
			q, o := t.metric(metric), t.Outcome.Trial
			data = append(data, stats.Datum{Trial: o.ID, Block: o.Block, Order: o.Order, Value: q.Value, Known: q.Known, Censored: q.Censored})
		}
	}
	sample, err := stats.NewSample(data)
	if err != nil {
		return stats.Sample{} // a run's trials have ids of their own, and quantities are finite
	}
	return sample
}

// count is the number of trials with a verdict.
func (g group) count(v results.Verdict) int {
	n := 0
	for _, t := range g.trials {
		if t.Outcome.Verdict == v {
			n++
		}
	}
	return n
}

// shown is the trial that stands for the group where there is room for one: the typical one, or the first that counts.
func (g group) shown() (t Trial, ok bool) {
	if t, ok = g.typical(); ok {
		return t, true
	}
	if i := slices.IndexFunc(g.trials, Trial.counted); i >= 0 {
		return g.trials[i], true
	}
	return Trial{}, false
}

// typical is the completed trial whose headline (of a migration, its total time) is the (lower) median, of those of which it is known unless it is of none; ok
// is false if none completed.
func (g group) typical() (t Trial, ok bool) {
	var done []Trial
	for _, t := range g.trials {
		if t.counted() && t.Outcome.Verdict == results.Completed {
			done = append(done, t)
		}
	}
	if len(done) == 0 {
		return Trial{}, false
	}
	if known := slices.DeleteFunc(slices.Clone(done), func(t Trial) bool { return !t.headline().Known }); len(known) > 0 {
		done = known
	}
	slices.SortStableFunc(done, func(a, b Trial) int {
		return cmp.Compare(a.headline().Value, b.headline().Value)
	})
	return done[(len(done)-1)/2], true
}
