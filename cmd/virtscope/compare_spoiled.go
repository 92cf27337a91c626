package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"virtscope/analysis/compare"
	"virtscope/analysis/dataset"
	"virtscope/analysis/validity"
)

// compareSpoiled compares with the spoiled trials, or without them. With them, notes say what would be told otherwise without.
func compareSpoiled(looks []compare.Sides, most int, without bool, options compare.Options) (compare.Result, error) {
	clean := make([]compare.Sides, len(looks))
	var base, head int // left out of the last look, which has all
	for i, l := range looks {
		clean[i].Blocked = l.Blocked
		clean[i].Base, base = validity.Without(l.Base)
		clean[i].Head, head = validity.Without(l.Head)
	}
	if without {
		r, err := compare.Looks(clean, most, options)
		if base+head > 0 {
			r.Notes = append(r.Notes, fmt.Sprintf("without spoiled trials: %d of base and %d of head are left out", base, head))
		}
		return r, err
	}
	r, err := compare.Looks(looks, most, options)
	if err != nil || base+head == 0 {
		return r, err
	}
	rest, err := compare.Looks(clean, most, options)
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
			list = append(list, fmt.Sprintf("%s is %s (%s), and %s (%s, n = %d and %d) without them",
				name, row.Verdict, shownP(row), rest.Rows[i].Verdict, shownP(rest.Rows[i]), rest.Rows[i].Base.Known, rest.Rows[i].Head.Known))
		}
	}
	if len(list) == 0 {
		return "spoiled trials are in; no verdict is another without them (--without-spoiled)"
	}
	return "spoiled trials are in, and change verdicts (--without-spoiled leaves them out): " + strings.Join(list, "; ")
}

// shownP is a row's corrected p, or why it has none.
func shownP(row compare.Row) string {
	if math.IsNaN(row.P) {
		return "not tested: " + row.Decides.Why
	}
	return fmt.Sprintf("p = %.2g", row.P)
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
