package report

import (
	"fmt"
	"slices"
	"strings"
	"virtscope/analysis/stats/anova"
)

// interactions says how much of a metric each factor explains, and where what one does depends on another.
func interactions(r Run, columns []column) []string {
	factors := varied(r)
	if len(factors) < 2 {
		return nil
	}
	if len(factors) > mostFactors {
		return []string{fmt.Sprintf("With %d factors, how much each explains is not computed: %d are the most.", len(factors), mostFactors)}
	}
	var list []string
	for _, c := range columns {
		table, err := anova.Analyse(observations(r, factors, c.metric), factors, Confidence)
		switch {
		case err != nil:
			list = append(list, fmt.Sprintf("%s: how much each factor explains is not known: %v.", capital(c.title), err))
		case !table.Known:
			list = append(list, fmt.Sprintf("%s: how much each factor explains, and whether one depends on another, is not known: %s.", capital(c.title), table.Why))
		default:
			list = append(list, explained(c, table))
		}
	}
	return list
}

// varied are the factors of which trials ended at two levels or more, in the order of the trials' levels.
func varied(r Run) []string {
	var factors []string
	seen := map[string][]string{}
	for _, t := range r.Trials {
		for _, l := range t.Outcome.Trial.Levels {
			if seen[l.Factor] == nil {
				factors = append(factors, l.Factor)
			}
			if !slices.Contains(seen[l.Factor], l.Value) {
				seen[l.Factor] = append(seen[l.Factor], l.Value)
			}
		}
	}
	return slices.DeleteFunc(factors, func(f string) bool { return len(seen[f]) < 2 })
}

// mostFactors bounds an analysis of variance.
const mostFactors = 6

func observations(r Run, factors []string, name string) []anova.Observation {
	var list []anova.Observation
	for _, t := range r.Trials {
		if !t.counted() {
			continue
		}
		q, o := t.metric(name), anova.Observation{Trial: t.Outcome.Trial.ID, Block: t.Outcome.Trial.Block, Levels: map[string]string{}}
		for _, l := range t.Outcome.Trial.Levels {
			o.Levels[l.Factor] = l.Value
		}
		if !slices.ContainsFunc(factors, func(f string) bool { _, ok := o.Levels[f]; return !ok }) {
			o.Value, o.Known, o.Censored = q.Value, q.Known, q.Censored
			list = append(list, o)
		}
	}
	return list
}

func explained(c column, table anova.Table) string {
	var shares, depends, open []string
	for _, e := range table.Decides() {
		name := make([]string, len(e.Factors))
		for i, f := range e.Factors {
			name[i] = shortName(f)
		}
		switch {
		case e.Block:
		case !e.Known && len(e.Factors) > 1:
			open = append(open, fmt.Sprintf("%s (%s)", strings.Join(name, " × "), e.Why))
		case !e.Known:
		default:
			shares = append(shares, fmt.Sprintf("%s %.0f %% (p = %.2g)", strings.Join(name, " × "), 100*e.PartialEta2, e.Adjusted))
			if len(e.Factors) > 1 && e.Adjusted < 1-Confidence {
				depends = append(depends, fmt.Sprintf("what %s does to %s depends on %s: read their levels together", name[0], c.title, join(name[1:])))
			}
		}
	}
	of := "type III"
	if table.Ranks {
		of = "of aligned ranks, as residuals are not normal"
	}
	text := fmt.Sprintf("%s, explained of what no other factor does (partial η², analysis of variance %s): %s.", capital(c.title), of, strings.Join(shares, ", "))
	if len(depends) > 0 {
		text = capital(strings.Join(depends, "; ")) + ". " + text
	}
	if len(open) > 0 {
		text += " Not known: " + strings.Join(open, "; ") + "."
	}
	return text
}
