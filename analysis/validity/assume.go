package validity

import (
	"fmt"
	"slices"
	"strings"
	"virtscope/analysis/dataset"
	"virtscope/analysis/metric"
)

// String names the limits as an experiment does; those that are none are left out.
func (l Limits) String() string {
	var list []string
	for _, s := range []struct {
		name  string
		share float64
	}{{"steal", l.Steal}, {"others", l.Others}, {"psi-cpu", l.PSICPU}, {"psi-io", l.PSIIO}, {"psi-memory", l.PSIMemory}} {
		if s.share < 1 {
			list = append(list, s.name+" "+percent(s.share))
		}
	}
	if l.Outliers > 0 {
		list = append(list, fmt.Sprintf("outliers %.3g", l.Outliers))
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// SpoilByDefaults is Spoil by Defaults, for a set whose experiment cannot be asked: why is the reason. If any of its trials can be judged at all, the set
// then says by what they were.
func SpoilByDefaults(set *dataset.Set, why string) {
	Spoil(set, Defaults())
	set.Assumed = ""
	if slices.ContainsFunc(set.Trials, func(t dataset.Trial) bool { return t.Counted() && Judged(t.Metrics) }) {
		set.Assumed = Assumed(why)
	}
}

// Assumed says that Defaults stand in for what an experiment allows its machine, and why; of a reason of many lines, the first.
func Assumed(why string) string {
	first, rest, _ := strings.Cut(strings.TrimSpace(why), "\n")
	if rest != "" {
		first += fmt.Sprintf(" (and %d lines more)", 1+strings.Count(rest, "\n"))
	}
	return fmt.Sprintf("the machine's noise is judged by virtscope's default limits (%s), as those of the experiment are not known: %s", Defaults(), first)
}

// Judged reports whether anything was measured of a trial's machine that can be judged.
func Judged(metrics []metric.Metric) bool {
	if _, ok := named(metrics, metric.NoiseThrottled); ok {
		return true
	}
	return slices.ContainsFunc(rules, func(r rule) bool { _, ok := named(metrics, r.metric); return ok })
}
