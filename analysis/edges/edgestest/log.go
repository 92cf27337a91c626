// Package edgestest makes a log of records, as package timeline does, for the tests of what reads one.
package edgestest

import (
	"cmp"
	"slices"
	"time"
	"virtscope/analysis/edges"
	"virtscope/results"
)

// Log holds records whose clocks are all the controller's.
func Log(records []results.Record) *edges.Log {
	byName := map[string][]results.Record{}
	for _, r := range records {
		byName[r.Name] = append(byName[r.Name], r)
	}
	for _, list := range byName {
		slices.SortStableFunc(list, func(a, b results.Record) int { return cmp.Compare(a.Time, b.Time) })
	}
	return edges.NewLog(byName, map[string]time.Duration{})
}

// Whole is a window that holds all times.
var Whole = edges.Window{From: 0, To: 1 << 61}

// Action is the window of the action, and of what follows until the last state begins.
func Action(records []results.Record) edges.Window {
	w := Whole
	for _, r := range records {
		switch r.Name {
		case results.ActionBegin:
			w.From = r.Time
		case results.ActionEnd:
			w.To = r.Time
		}
	}
	return w
}
