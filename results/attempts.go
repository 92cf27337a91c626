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

// Attempts are all attempts at all trials that have a folder, those that were set aside too, by when the journal says that they began. An attempt that
// the journal does not know comes last.
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
	for _, e := range entries {
		if e.Event == TrialBegin {
			begin[key{e.Trial, e.Attempt}] = e.Time
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
	slices.SortStableFunc(all, func(a, b Attempted) int {
		if a.Begin.IsZero() != b.Begin.IsZero() {
			return cmp.Compare(asInt(a.Begin.IsZero()), asInt(b.Begin.IsZero()))
		}
		return a.Begin.Compare(b.Begin)
	})
	return all, nil
}

func asInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
