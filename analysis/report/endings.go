package report

import (
	"fmt"
	"slices"
	"strings"
	"virtscope/results"
)

// An ending is a reason for which trials of a treatment did not complete.
type ending struct {
	verdict results.Verdict
	reason  string
	group   group
	who     []string // r1, r2 …
}

func (e ending) same(other ending) bool {
	return e.verdict == other.verdict && e.reason == other.reason
}

// manyTreatments is of how many treatments one reason is told once.
const manyTreatments = 3

// endings says, for each reason for which trials did not complete, how many of a treatment did not, and which.
func endings(groups []group) []string {
	var list []ending
	for _, g := range groups {
		list = append(list, g.endings()...)
	}
	var texts []string
	for i, e := range list {
		var alike []string
		for _, other := range list {
			if other.same(e) {
				alike = append(alike, fmt.Sprintf("%s, %d of %d (%s)", other.group.name, len(other.who), len(other.group.trials), strings.Join(other.who, ", ")))
			}
		}
		first := !slices.ContainsFunc(list[:i], e.same)
		switch {
		case len(alike) < manyTreatments:
			texts = append(texts, fmt.Sprintf("%s: %d of %d %s: %s (%s)", e.group.name, len(e.who), len(e.group.trials), e.verdict, orNoReason(e.reason), strings.Join(e.who, ", ")))
		case first:
			texts = append(texts, fmt.Sprintf("%s in %d treatments: %s: %s", e.verdict, len(alike), orNoReason(e.reason), strings.Join(alike, "; ")))
		}
	}
	return texts
}

func (g group) endings() []ending {
	var list []ending
	for _, t := range g.trials {
		e := ending{verdict: t.Outcome.Verdict, reason: t.Outcome.Reason, group: g}
		if e.verdict == results.Completed {
			continue
		}
		i := slices.IndexFunc(list, e.same)
		if i < 0 {
			i = len(list)
			list = append(list, e)
		}
		list[i].who = append(list[i].who, fmt.Sprintf("r%d", t.Outcome.Trial.Replicate))
	}
	return list
}
