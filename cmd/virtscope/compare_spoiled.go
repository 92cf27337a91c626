package main

import (
	"fmt"
	"slices"
	"strings"
	"virtscope/analysis/compare"
	"virtscope/analysis/dataset"
	"virtscope/analysis/validity"
)

// compareSpoiled compares two sets with their spoiled trials, or without them. With them, notes say what would be told otherwise without.
func compareSpoiled(base, head dataset.Set, without bool, options compare.Options) (compare.Result, error) {
	clean := [2]dataset.Set{}
	left := [2]int{}
	for i, set := range []dataset.Set{base, head} {
		clean[i], left[i] = validity.Without(set)
	}
	if without {
		r, err := compare.Sets(clean[0], clean[1], options)
		if n := left[0] + left[1]; n > 0 {
			r.Notes = append(r.Notes, fmt.Sprintf("without spoiled trials: %d of base and %d of head are left out", left[0], left[1]))
		}
		return r, err
	}
	r, err := compare.Sets(base, head, options)
	if err != nil || left[0]+left[1] == 0 {
		return r, err
	}
	rest, err := compare.Sets(clean[0], clean[1], options)
	if err != nil {
		return r, err
	}
	r.Notes = append(r.Notes, otherwise(r, rest))
	return r, nil
}

// otherwise says which verdicts are others without the spoiled trials.
func otherwise(all, rest compare.Result) string {
	var list []string
	for _, row := range all.Rows {
		i := slices.IndexFunc(rest.Rows, func(r compare.Row) bool { return r.Treatment == row.Treatment && r.Metric == row.Metric })
		name := strings.TrimSuffix(row.Metric+" of "+row.Treatment, " of ")
		switch {
		case i < 0:
			list = append(list, fmt.Sprintf("%s is %s, and without them one side has no trial left", name, row.Verdict))
		case rest.Rows[i].Verdict != row.Verdict:
			list = append(list, fmt.Sprintf("%s is %s (p = %.2g), and %s (p = %.2g, n = %d and %d) without them",
				name, row.Verdict, row.P, rest.Rows[i].Verdict, rest.Rows[i].P, rest.Rows[i].Base.Known, rest.Rows[i].Head.Known))
		}
	}
	if len(list) == 0 {
		return "spoiled trials are in; no verdict is another without them (--without-spoiled)"
	}
	return "spoiled trials are in, and change verdicts (--without-spoiled leaves them out): " + strings.Join(list, "; ")
}

// mostSpoiled bounds how many spoiled trials of a set are named one by one.
const mostSpoiled = 5

// spoiledTrials names those of a set with the reason.
func spoiledTrials(set dataset.Set) []string {
	var list []string
	n := 0
	for _, t := range set.Trials {
		if len(t.Spoiled) == 0 {
			continue
		}
		if n++; n <= mostSpoiled {
			list = append(list, fmt.Sprintf("%s: the machine spoiled trial %s: %s", set.Name, t.ID, strings.Join(t.Spoiled, "; ")))
		}
	}
	if n > mostSpoiled {
		list = append(list, fmt.Sprintf("%s: and %d more, of %d trials", set.Name, n-mostSpoiled, len(set.Trials)))
	}
	return list
}
