package export

import (
	"fmt"
	"slices"
	"strings"
	"virtscope/analysis/dataset"
	"virtscope/analysis/metric"
)

// Choose is the set with these metrics alone, and their names; without names, tables have the headlines. A name that no trial has is an error.
func Choose(set dataset.Set, names []string) (dataset.Set, []string, error) {
	have := set.Metrics()
	if len(names) == 0 {
		var heads []string
		for _, name := range have {
			if metric.About(name).Headline {
				heads = append(heads, name)
			}
		}
		if len(heads) == 0 {
			heads = have
		}
		return set, heads, nil
	}
	for _, name := range names {
		if !slices.Contains(have, name) {
			return set, nil, fmt.Errorf("export: no trial has the metric %q: this run has %s", name, strings.Join(have, ", "))
		}
	}
	trials := slices.Clone(set.Trials)
	for i, t := range trials {
		trials[i].Metrics = slices.DeleteFunc(slices.Clone(t.Metrics), func(m metric.Metric) bool { return !slices.Contains(names, m.Name) })
	}
	set.Trials = trials
	return set, names, nil
}
