package main

import (
	"errors"
	"fmt"
	"time"
	"virtscope/analysis/live"
	"virtscope/results"
)

// processOf is what is known of the process that works on the run; the error is why it is not known.
func processOf(r *results.Run) (live.Process, error) {
	working, err := r.Live()
	switch {
	case err != nil:
		return live.Unsure, fmt.Errorf("ask for the lock of %s: %w", r.Dir, err)
	case working:
		return live.Working, nil
	}
	return live.Gone, nil
}

func reasonOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// journalOver reports whether the run has ended by its journal.
func journalOver(r *results.Run) (bool, error) {
	entries, err := r.Entries()
	if err != nil {
		return false, err
	}
	s := live.NewRun(r.Manifest, r.Plan, nil)
	for _, e := range entries {
		s.Entry(e)
	}
	return s.Over(), nil
}

// A doubt bounds for how long a run is followed of which nobody can tell whether a process works on it: until nothing new has come for patience. What is
// old already when it is first read counts too, once it is sure that nothing comes beside it.
type doubt struct {
	patience time.Duration
	settle   time.Duration // in which what is written would have been seen
	forever  bool          // it is not bounded
	grew     time.Time     // when something new was last seen
	gaveUp   bool
}

// Patience is longer than a trial is prepared without a record, and writers flush several times in settle.
const (
	doubtPatience = 5 * time.Minute
	doubtSettle   = 15 * time.Second
)

// quiet reports whether nothing new comes any more, where newest is what the run last told of.
func (d *doubt) quiet(now, newest time.Time) bool {
	last := newest
	if last.After(d.grew) { // another clock, that is ahead
		last = d.grew
	}
	if d.gaveUp {
		return true // the last records are taken in only now
	}
	if d.forever || now.Sub(d.grew) < d.settle || now.Sub(last) < d.patience {
		return false
	}
	d.gaveUp = true
	return true
}

// goesOn reports whether more of the run may come.
func (w *watcher) goesOn(process live.Process) bool {
	switch {
	case process == live.Working:
		return true
	case process == live.Gone, w.options.replay, w.options.trial > 0:
		return false
	}
	over, newest := false, w.run.Manifest.Created
	w.update(func(s *live.Run) {
		over = s.Over()
		if at := s.Newest(); at.After(newest) {
			newest = at
		}
	})
	return !over && !w.doubt.quiet(time.Now(), newest)
}

// doubtful says that nobody can tell whether a process works on the run, which has not ended by its journal, and what is done then.
func (w *watcher) doubtful(why error) string {
	text := fmt.Sprintf("whether a process still works on it is not known: %v. Its journal has no end: ", why)
	switch {
	case w.options.replay, w.options.trial > 0:
		return text + "what it holds by now is shown"
	case w.doubt.forever:
		return text + "it is followed until you end this"
	}
	return text + fmt.Sprintf("it is followed until it has one, or nothing new has come for %s", w.doubt.patience)
}

// errDoubt is of records of an attempt without an outcome, where nobody can tell whether somebody still writes them.
var errDoubt = errors.New("no more of its records is here; whether more come is not known")
