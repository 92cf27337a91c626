package validity

import (
	"fmt"
	"math"
	"slices"
	"virtscope/analysis/dataset"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/analysis/stats"
)

// Without is the set without its spoiled trials, and how many those were.
func Without(set dataset.Set) (dataset.Set, int) {
	all := len(set.Trials)
	set.Trials = slices.DeleteFunc(slices.Clone(set.Trials), func(t dataset.Trial) bool { return len(t.Spoiled) > 0 })
	return set, all - len(set.Trials)
}

// without says what headline metrics come to without the spoiled trials, where that makes a difference: a median that moves by the
// effect floor or more, and a difference between treatments that is found only one way.
func without(set dataset.Set) []Line {
	clean, n := Without(set)
	if n == 0 {
		return nil
	}
	var list []Line
	for _, t := range set.Treatments() {
		if counted := slices.ContainsFunc(t.Trials, dataset.Trial.Counted); counted && allSpoiled(t) {
			list = append(list, Line{fmt.Sprintf("all trials of %s were spoiled: there is no figure without them", called(t.Name)), true})
		}
	}
	for _, name := range set.Metrics() {
		if !metric.About(name).Headline {
			continue
		}
		list = append(list, medians(set, clean, name)...)
		list = append(list, verdicts(set, clean, name)...)
	}
	if len(list) == 0 {
		return []Line{{"without them, no median of a headline metric moves by its effect floor, and no difference between treatments is found or lost", false}}
	}
	return list
}

// allSpoiled reports whether no trial of a treatment that counts is clean.
func allSpoiled(t dataset.Treatment) bool {
	return !slices.ContainsFunc(t.Trials, func(t dataset.Trial) bool { return t.Counted() && len(t.Spoiled) == 0 })
}

func medians(set, clean dataset.Set, name string) []Line {
	var list []Line
	cleaned := clean.Treatments()
	for _, t := range set.Treatments() {
		s, unit, err := t.Sample(name)
		if err != nil {
			continue
		}
		all := stats.Summarise(s, 1-Alpha)
		if all.Known == 0 || allSpoiled(t) || !slices.ContainsFunc(t.Trials, func(t dataset.Trial) bool { return len(t.Spoiled) > 0 }) {
			continue
		}
		i := slices.IndexFunc(cleaned, func(c dataset.Treatment) bool { return c.Name == t.Name })
		what := fmt.Sprintf("%s of %s: median %s of %d", name, called(t.Name), all.Median.Show(unit, quantity.Nearest), all.Known)
		if i < 0 {
			continue
		}
		c, _, err := cleaned[i].Sample(name)
		if err != nil {
			continue
		}
		rest := stats.Summarise(c, 1-Alpha)
		switch {
		case rest.Known == 0:
			list = append(list, Line{what + "; all that have one were spoiled", true})
		case math.Abs(rest.Median.Value-all.Median.Value) >= metric.About(name).Floor(all.Median.Value) || rest.Median.AtLeast != all.Median.AtLeast:
			list = append(list, Line{fmt.Sprintf("%s; without the spoiled ones %s of %d", what, rest.Median.Show(unit, quantity.Nearest), rest.Known), true})
		}
	}
	return list
}

func called(treatment string) string {
	if treatment == "" {
		return "all trials"
	}
	return treatment
}

// verdicts holds every treatment against the first, as the report's answer does, with the spoiled trials and without them.
func verdicts(set, clean dataset.Set, name string) []Line {
	all, rest := against(set, name), against(clean, name)
	var list []Line
	for _, a := range all {
		i := slices.IndexFunc(rest, func(r contrast) bool { return r.base == a.base && r.head == a.head })
		if i < 0 || !a.known || !rest[i].known || (a.p < Alpha) == (rest[i].p < Alpha) {
			continue
		}
		say := map[bool]string{true: "a difference is found", false: "no difference is found"}
		list = append(list, Line{fmt.Sprintf("%s of %s against %s: with all trials %s (p = %.2g), without the spoiled ones %s (p = %.2g)",
			name, called(a.head), called(a.base), say[a.p < Alpha], a.p, say[rest[i].p < Alpha], rest[i].p), true})
	}
	return list
}

type contrast struct {
	base, head string
	p          float64 // corrected over the treatments
	known      bool
}

func against(set dataset.Set, name string) []contrast {
	treatments := set.Treatments()
	if len(treatments) < 2 {
		return nil
	}
	base, _, err := treatments[0].Sample(name)
	if err != nil {
		return nil
	}
	var list []contrast
	var ps []float64
	for _, t := range treatments[1:] {
		head, _, err := t.Sample(name)
		if err != nil {
			continue
		}
		test := stats.Decide(base, head, stats.How{Confidence: 1 - Alpha, Seed: 1, Blocked: set.Blocked()})
		c := contrast{base: treatments[0].Name, head: t.Name, known: test.Known, p: math.NaN()}
		if test.Known {
			c.p = test.P
		}
		list, ps = append(list, c), append(ps, c.p)
	}
	for i, p := range stats.Holm(ps) {
		list[i].p = p
	}
	return list
}
