package report

import (
	"fmt"
	"slices"
	"strings"
	"virtscope/results"
)

// nothingYet says why there is no answer.
func nothingYet(r Run) string {
	switch {
	case len(r.Trials) == 0:
		if r.Planned > 0 {
			return fmt.Sprintf("No trial has ended of %d that are planned: there is no answer yet.", r.Planned)
		}
		return "No trial has ended: there is no answer yet."
	case !slices.ContainsFunc(r.Trials, func(t Trial) bool { return t.Outcome.Verdict.Final() }):
		return fmt.Sprintf("None of the %s that ended counts, as %s: there is no answer.", plural(len(r.Trials), "trial"), r.noneCounts())
	}
	return "No trial that ended has figures, as their records cannot be read: there is no answer."
}

// uncounted says which trials are in no figure.
func uncounted(r Run) []string {
	var list []string
	add := func(is func(Trial) bool, one, many string) {
		var ids []string
		for _, t := range r.Trials {
			if is(t) {
				ids = append(ids, t.Outcome.Trial.ID)
			}
		}
		if len(ids) == 0 {
			return
		}
		who := strings.Join(ids[:min(len(ids), 3)], ", ")
		if n := len(ids) - 3; n > 0 {
			who += fmt.Sprintf(" and %d more", n)
		}
		text := "are in no figure, as " + many
		if len(ids) == 1 {
			text = "is in no figure, as " + one
		}
		list = append(list, fmt.Sprintf("%d of %s %s: %s.", len(ids), plural(len(r.Trials), "trial"), text, who))
	}
	add(func(t Trial) bool { return t.Outcome.Verdict.Final() && t.Timeline == nil }, "its records cannot be read", "their records cannot be read")
	ended := func(v results.Verdict) func(Trial) bool { return func(t Trial) bool { return t.Outcome.Verdict == v } }
	add(ended(results.Invalid), "it is invalid: "+atFault, "they are invalid: "+atFault)
	add(ended(results.Interrupted), "it was interrupted", "they were interrupted")
	add(ended(results.Untold), "it cannot be read how it ended", "it cannot be read how they ended")
	if open := r.Planned - len(r.Trials); open > 0 && len(r.Trials) > 0 {
		list = append(list, fmt.Sprintf("%d of %s that are planned have not ended: what they would add is in no figure.", open, plural(r.Planned, "trial")))
	}
	return list
}

// atFault is what makes a trial invalid.
const atFault = "the testbed, the machine or what measured was at fault, not what was measured (the remarks say how)"

// noneCounts says what became of trials none of which completed or failed.
func (r Run) noneCounts() string {
	var list []string
	for _, c := range []struct {
		verdict results.Verdict
		text    string
	}{{results.Invalid, "was invalid"}, {results.Interrupted, "was interrupted"}, {results.Untold, "has an outcome that cannot be read"}} {
		if slices.ContainsFunc(r.Trials, func(t Trial) bool { return t.Outcome.Verdict == c.verdict }) {
			list = append(list, c.text)
		}
	}
	return "each " + strings.Join(list, " or ")
}
