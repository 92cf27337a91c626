// Package dataset is a run as statistics see it: one value of each metric a trial, with what the trial was.
package dataset

import (
	"fmt"
	"slices"
	"time"
	"virtscope/analysis/metric"
	"virtscope/analysis/stats"
	"virtscope/results"
)

// A Set is the trials of one run.
type Set struct {
	Name     string // what a reader calls it: the run's folder, or a file
	Manifest results.Manifest
	Planned  int     // trials that the plan holds; 0 if not known
	Trials   []Trial // that ended, the last attempt of each, in the order of the plan
	Problems []string
	Assumed  string // what the machine was judged by in place of what the experiment allows, and why; "" if that is known
}

// A Trial is what one trial came to.
type Trial struct {
	results.Trial
	Attempt  int
	Verdict  results.Verdict
	Reason   string
	Begin    time.Time // zero if not known
	Readable bool      // its records could be read
	Metrics  []metric.Metric
	Spoiled  []string // why its machine was too noisy for it; it stays in, and is named
}

// Counted reports whether a trial is data: completed and failed ones are, invalid and interrupted ones are not.
func (t Trial) Counted() bool { return t.Verdict.Final() && t.Readable }

// Metric is a metric by name; ok is false if the trial has none of it.
func (t Trial) Metric(name string) (m metric.Metric, ok bool) {
	i := slices.IndexFunc(t.Metrics, func(m metric.Metric) bool { return m.Name == name })
	if i < 0 {
		return metric.Metric{Name: name}, false
	}
	return t.Metrics[i], true
}

// A Treatment is one combination of levels.
type Treatment struct {
	Name   string // results.Trial.Treatment
	Levels []results.Level
	Trials []Trial
}

// Treatments are those that a trial ended of, in the order of the factors' levels.
func (s Set) Treatments() []Treatment {
	var list []Treatment
	for _, t := range s.Trials {
		i := slices.IndexFunc(list, func(have Treatment) bool { return have.Name == t.Treatment })
		if i < 0 {
			i = len(list)
			list = append(list, Treatment{Name: t.Treatment, Levels: t.Levels})
		}
		list[i].Trials = append(list[i].Trials, t)
	}
	slices.SortStableFunc(list, func(a, b Treatment) int { return slices.Compare(s.places(a), s.places(b)) })
	return list
}

// places are those of a treatment's levels among their factors'.
func (s Set) places(t Treatment) []int {
	var list []int
	for _, l := range t.Levels {
		place := len(s.Manifest.Factors)
		for _, f := range s.Manifest.Factors {
			if f.Path == l.Factor {
				place = slices.Index(f.Levels, l.Value)
			}
		}
		list = append(list, place)
	}
	return list
}

// Metrics are the names that any trial that counts has, in the order in which they first occur.
func (s Set) Metrics() []string {
	var list []string
	seen := map[string]bool{}
	for _, t := range s.Trials {
		if !t.Counted() {
			continue
		}
		for _, m := range t.Metrics {
			if !seen[m.Name] {
				seen[m.Name] = true
				list = append(list, m.Name)
			}
		}
	}
	return list
}

// Sample is a metric over the trials of a treatment that count. The unit is "" where no trial has the metric. A trial without it
// is there as not known. Two units of one metric are an error.
func (t Treatment) Sample(name string) (s stats.Sample, unit results.Unit, err error) {
	var data []stats.Datum
	for _, trial := range t.Trials {
		if !trial.Counted() {
			continue
		}
		m, ok := trial.Metric(name)
		if ok && m.Known {
			if unit != "" && unit != m.Unit {
				return s, unit, fmt.Errorf("sample %s of %s: trial %s has it in %s, others in %s", name, t.Name, trial.ID, m.Unit, unit)
			}
			unit = m.Unit
		}
		data = append(data, stats.Datum{
			Trial: trial.ID, Block: trial.Block, Order: trial.Order, Value: m.Value, Known: ok && m.Known, Censored: m.Censored,
		})
	}
	s, err = stats.NewSample(data)
	return s, unit, err
}
