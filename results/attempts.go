package results

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// An Attempted is one attempt at a trial, as its folder shows it.
type Attempted struct {
	Trial  Trial
	Number int       // from 1
	Dir    string    // of its records
	Begin  time.Time // by the journal; zero if that does not tell
	Ended  bool      // it has an outcome
}

// Attempts are all attempts at all trials that have a folder, those that were set aside too, in the order in which the journal has their begins, which no
// clock that is set back changes. An attempt that the journal does not know comes last.
func (r *Run) Attempts() ([]Attempted, error) {
	entries, err := r.Entries()
	if err != nil {
		return nil, err
	}
	type key struct {
		trial  string
		number int
	}
	begin := map[key]time.Time{}
	place := map[key]int{}
	for i, e := range entries {
		if e.Event == TrialBegin {
			begin[key{e.Trial, e.Attempt}], place[key{e.Trial, e.Attempt}] = e.Time, i
		}
	}
	var all []Attempted
	for _, t := range r.Plan {
		n := 1
		for ; exists(aside(r.TrialDir(t.ID), n)); n++ {
			all = append(all, Attempted{Trial: t, Number: n, Dir: aside(r.TrialDir(t.ID), n), Begin: begin[key{t.ID, n}]})
		}
		if exists(r.TrialDir(t.ID)) {
			all = append(all, Attempted{Trial: t, Number: n, Dir: r.TrialDir(t.ID), Begin: begin[key{t.ID, n}]})
		}
	}
	for i := range all {
		_, err := os.Stat(filepath.Join(all[i].Dir, outcomeFile))
		all[i].Ended = err == nil
	}
	at := func(a Attempted) int {
		if i, ok := place[key{a.Trial.ID, a.Number}]; ok {
			return i
		}
		return len(entries)
	}
	slices.SortStableFunc(all, func(a, b Attempted) int { return cmp.Compare(at(a), at(b)) })
	return all, nil
}
