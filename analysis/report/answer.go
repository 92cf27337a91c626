package report

import (
	"fmt"
	"slices"
	"strings"
	"virtscope/analysis/compare"
	"virtscope/analysis/timeline"
	"virtscope/results"
)

// An answer says what the factors do to the headline metric, and to the downtime where there is one: by how much and how sure.
type answer struct {
	Failed  []string // which trials did not reach what was asked of them: it is said first
	Lead    []string // plain sentences
	Effects []effect
	// Uncounted says which trials are in no figure, and why.
	Uncounted []string
	Notes     []string
}

// An effect is what one level of a factor does, as text.
type effect struct {
	Metric, Factor, Levels string
	Says                   string // the verdict in words
	Medians                string // against the first level's
	Size, Interval, Sure   string
	Found                  bool
}

// newAnswer compares each level of each factor with the factor's first, over all levels of the others. Holm's correction is over all of
// these, of all metrics; differences below the effect floor of package metric do not matter.
func newAnswer(r Run, groups []group, k kind) (answer, error) {
	a := answer{Failed: failed(groups), Uncounted: uncounted(r)}
	columns := []column{{title: k.headlineName, metric: k.headline}}
	if k.outages && k.headline != timeline.Downtime {
		columns = append(columns, column{title: "downtime", metric: timeline.Downtime})
	}
	counted := slices.ContainsFunc(groups, func(g group) bool { return slices.ContainsFunc(g.trials, Trial.counted) })
	switch {
	case !counted:
		a.Lead = []string{nothingYet(r)}
		return a, nil
	case len(groups) == 1:
		a.Lead = alone(groups[0], columns)
		return a, nil
	}
	if completed(groups) == 0 {
		a.Lead = append(a.Lead, "No trial completed. What follows is of trials that failed: of times, only that the truth is larger.")
	}
	var names []string
	for _, c := range columns {
		names = append(names, c.metric)
	}
	list, err := compare.Factors(r.Dataset(r.Manifest.Run), compare.Options{Alpha: 1 - Confidence, Metrics: names, Seed: 1})
	if err != nil {
		return a, fmt.Errorf("answer: %w", err)
	}
	for _, c := range columns {
		a.add(c, list)
	}
	a.addFailures(list)
	if len(a.Effects) == 0 {
		a.Lead = append(a.Lead, "It cannot be told what the factors do: no trial that counts has the figures.")
		return a, nil
	}
	a.Notes = append(a.Notes, fmt.Sprintf("Each level is held against the first of its factor, in trials whose other levels are the same. Intervals are of %.0f %%, of each alone; p is corrected for all tests here (Holm). Not shown: no difference was found, and one that matters is not ruled out; where n is too small, no outcome of so few trials could have been. Too small to matter: below the effect floor of the metric.", Confidence*100))
	a.Notes = append(a.Notes, interactions(r, columns)...)
	return a, nil
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func completed(groups []group) (n int) {
	for _, g := range groups {
		n += g.count(results.Completed)
	}
	return n
}

// alone is the answer of a run with one treatment: nothing is compared.
func alone(g group, columns []column) []string {
	list := []string{"There is one treatment: nothing is compared."}
	if n := g.count(results.Completed) + g.count(results.Failed); n == 1 {
		list[0] = "There is one trial: nothing is compared, and how much another one would differ is not known."
	}
	for _, c := range columns {
		cell := g.cell(c.metric)
		what := "median "
		if g.summary(c.metric).Known == 1 {
			what = ""
		}
		if cell.Median != "" && cell.Median != "—" {
			list = append(list, fmt.Sprintf("%s: %s%s.", capital(c.title), what, cell.Median))
		}
	}
	return append(list, g.intervals(columns)...)
}

// failed says of which treatments trials failed, and why.
func failed(groups []group) []string {
	var list []string
	for _, g := range groups {
		for _, e := range g.endings() {
			if e.verdict == results.Failed {
				list = append(list, fmt.Sprintf("%s: %d of %d trials failed: %s.", g.name, len(e.who), len(g.trials), strings.TrimSuffix(orNoReason(e.reason), ".")))
			}
		}
	}
	return list
}

// add adds a metric's effects, and its sentence. The effects of an experiment come in the order of its factors.
func (a *answer) add(c column, list []compare.Main) {
	var found, open, same []string
	few := true // each that is open has too few trials
	for _, m := range list {
		if m.Metric != c.metric {
			continue
		}
		e := newEffect(c, m)
		a.Effects = append(a.Effects, e)
		switch {
		case m.Verdict.Found():
			found = append(found, e.Factor)
		case m.Verdict == compare.Same:
			same = append(same, e.Factor)
		default:
			open = append(open, e.Factor)
			few = few && strings.HasPrefix(m.Why, "n ")
		}
	}
	found = slices.Compact(found)
	not := func(list []string) []string {
		return slices.DeleteFunc(slices.Compact(list), func(f string) bool { return slices.Contains(found, f) })
	}
	open = not(open)
	same = slices.DeleteFunc(not(same), func(f string) bool { return slices.Contains(open, f) })
	title := capital(c.title)
	var parts []string
	if len(found) > 0 {
		parts = append(parts, title+" depends on "+join(found))
	}
	if len(open) > 0 {
		parts = append(parts, fmt.Sprintf("an effect of %s on %s is not shown", join(open), c.title))
		if few {
			parts[len(parts)-1] += ", as n is too small to show any"
		}
	}
	if len(same) > 0 {
		makes := "makes"
		if len(same) > 1 {
			makes = "make"
		}
		parts = append(parts, fmt.Sprintf("%s %s no difference to %s that matters", join(same), makes, c.title))
	}
	if len(parts) > 0 {
		a.Lead = append(a.Lead, capital(strings.Join(parts, "; "))+".")
	}
}

// addFailures adds the share of trials that failed, where any did.
func (a *answer) addFailures(list []compare.Main) {
	for _, m := range list {
		if m.Metric != compare.Failures || m.BaseFailed+m.HeadFailed == 0 {
			continue
		}
		e := newEffect(column{title: "failed trials"}, m)
		e.Size = fmt.Sprintf("%d of %d, against %d of %d", m.HeadFailed, m.HeadTrials, m.BaseFailed, m.BaseTrials)
		a.Effects = append(a.Effects, e)
	}
}
