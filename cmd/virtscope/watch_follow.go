package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"sync"
	"time"
	"virtscope/analysis/live"
	"virtscope/results"
)

// A watcher feeds a run's state from its folder.
type watcher struct {
	run     *results.Run
	options watchOptions

	ask   func() (live.Process, error) // for the process that works on the run
	doubt doubt

	mu    sync.Mutex
	state *live.Run

	lookedAt time.Time    // when the process was last looked for
	process  live.Process // … and what was found
	pace     pace
	newest   int64 // of a replay's records, ns
}

func newWatcher(r *results.Run, o watchOptions, links map[string]live.Link) *watcher {
	w := &watcher{run: r, options: o, ask: func() (live.Process, error) { return processOf(r) }, state: live.NewRun(r.Manifest, r.Plan, links)}
	w.doubt = doubt{patience: doubtPatience, settle: doubtSettle, grew: time.Now()}
	return w
}

// Intervals at which a run's folder is looked at.
const (
	journalPoll = 200 * time.Millisecond
	processPoll = time.Second
)

// batch bounds how many records are taken in at once: whoever draws waits meanwhile.
const batch = 2000

// update changes the state.
func (w *watcher) update(change func(*live.Run)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(w.state)
}

// look finds out whether a process works on the run, once a second at most: to look means to lock for a moment.
func (w *watcher) look() live.Process {
	if now := time.Now(); w.lookedAt.IsZero() || now.Sub(w.lookedAt) >= processPoll {
		w.lookedAt = now
		process, err := w.ask()
		w.update(func(s *live.Run) {
			w.process = process // read by whoever draws
			s.Process(process, reasonOf(err))
		})
	}
	return w.process
}

// follow feeds the run until it has ended, its process is gone, nothing more is expected of it, or ctx is over. It calls changed after each change.
func (w *watcher) follow(ctx context.Context, changed func()) error {
	var done int // entries taken in
	var size int64 = -1
	w.pace.speed = w.options.speed
	w.update(func(s *live.Run) { s.Replay(w.options.replay) })
	for ctx.Err() == nil {
		process := w.look() // before the journal is read: what a process that is gone wrote is then read for sure
		now, err := w.run.JournalSize()
		if err != nil {
			return err
		}
		if now != size {
			size = now
			entries, err := w.run.Entries()
			if err != nil {
				return err
			}
			for ; done < len(entries) && ctx.Err() == nil; done++ {
				w.entry(ctx, entries, done, changed)
			}
			continue
		}
		changed()
		if !w.goesOn(process) {
			if done == 0 {
				w.imported(ctx, changed)
			}
			w.update(func(s *live.Run) { s.Replay(false) })
			return nil
		}
		sleep(ctx, journalPoll)
	}
	return nil
}

// entry takes in the i-th entry of the journal, and the records of the attempt that it begins.
func (w *watcher) entry(ctx context.Context, entries []results.Entry, i int, changed func()) {
	e := entries[i]
	w.doubt.grew = time.Now()
	if e.Trial != "" && !w.wanted(e.Trial) {
		w.update(func(s *live.Run) { s.Elsewhere(e) })
		return
	}
	w.wait(ctx, e.Time)
	if e.Event == results.TrialDone {
		w.outcome(e)
	}
	w.update(func(s *live.Run) { s.Entry(e) })
	changed()
	if e.Event != results.TrialBegin {
		return
	}
	w.records(ctx, e.Trial, e.Attempt, i+1 < len(entries), changed)
}

func (w *watcher) wanted(id string) bool {
	n := w.options.trial
	return n == 0 || w.run.Plan[n-1].ID == id
}

// folder is where an attempt's records stand now: one that a later attempt followed was set aside.
func (w *watcher) folder(id string, attempt int) string {
	dir := w.run.TrialDir(id)
	if aside := dir + ".attempt-" + strconv.Itoa(attempt); isDir(aside) {
		return aside
	}
	return dir
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func (w *watcher) outcome(e results.Entry) {
	o, ok, err := results.OutcomeIn(w.folder(e.Trial, e.Attempt))
	switch {
	case err != nil:
		w.update(func(s *live.Run) { s.Cut(err) })
	case ok:
		w.update(func(s *live.Run) { s.Outcome(o) })
	}
}

// records takes in an attempt's records until they are over: it has an outcome, the journal went on, or its process is gone.
func (w *watcher) records(ctx context.Context, id string, attempt int, past bool, changed func()) {
	t := results.NewTail(w.folder(id, attempt))
	t.Over = func() bool {
		return past || !w.goesOn(w.look()) || w.run.AttemptOver(id, attempt)
	}
	err := t.Each(ctx, batch, func(list []results.Record) error {
		w.doubt.grew = time.Now()
		if w.options.replay {
			w.again(ctx, list, changed)
		} else {
			w.update(func(s *live.Run) { s.Records(list) })
			changed()
		}
		return ctx.Err()
	})
	switch {
	case ctx.Err() != nil || err == nil:
	case errors.Is(err, fs.ErrNotExist):
		w.update(func(s *live.Run) { s.Missing() })
	case w.process == live.Unsure && !past && !w.run.AttemptOver(id, attempt):
		w.update(func(s *live.Run) { s.Cut(errDoubt) })
	default:
		w.update(func(s *live.Run) { s.Cut(err) })
	}
	changed()
}

// again takes in records at the times that they tell. Those that came late, behind newer ones, come with them.
func (w *watcher) again(ctx context.Context, list []results.Record, changed func()) {
	for i := range list {
		if at := list[i].Time; at > w.newest {
			w.newest = at
			w.wait(ctx, time.Unix(0, at))
		}
		w.update(func(s *live.Run) { s.Records(list[i : i+1]) })
		changed()
		if ctx.Err() != nil {
			return
		}
	}
}

// imported takes in attempts that no journal tells of.
func (w *watcher) imported(ctx context.Context, changed func()) {
	attempts, err := w.run.Attempts()
	if err != nil {
		return
	}
	for _, a := range attempts {
		if ctx.Err() != nil {
			return
		}
		o, ok, err := results.OutcomeIn(a.Dir)
		if !w.wanted(a.Trial.ID) {
			if err == nil && ok {
				w.update(func(s *live.Run) {
					s.Elsewhere(results.Entry{Event: results.TrialDone, Trial: a.Trial.ID, Attempt: a.Number, Verdict: o.Verdict})
				})
			}
			continue
		}
		if err != nil || !ok {
			o.Begin = a.Begin
		}
		w.update(func(s *live.Run) {
			s.Entry(results.Entry{Time: o.Begin, Event: results.TrialBegin, Trial: a.Trial.ID, Attempt: a.Number})
		})
		w.records(ctx, a.Trial.ID, a.Number, true, changed)
		if ok {
			w.update(func(s *live.Run) {
				s.Outcome(o)
				s.Entry(results.Entry{Time: o.End, Event: results.TrialDone, Trial: a.Trial.ID, Attempt: a.Number, Verdict: o.Verdict, Reason: o.Reason})
			})
			changed()
		}
	}
}

// now is the time that is shown: that of the clock while the run goes on, and that of the records afterwards. The caller holds mu.
func (w *watcher) now() time.Time {
	if w.process == live.Working {
		return time.Now()
	}
	return w.state.Newest()
}

// wait holds a replay back until its time has come.
func (w *watcher) wait(ctx context.Context, at time.Time) {
	if w.options.replay {
		sleep(ctx, w.pace.until(at))
	}
}

// A pace relates the time of records to that of a replay.
type pace struct {
	speed float64
	from  time.Time // of the records
	began time.Time // of the replay
}

// until is how long to wait for that time of the records.
func (p *pace) until(at time.Time) time.Duration {
	if at.IsZero() {
		return 0
	}
	if p.began.IsZero() {
		p.from, p.began = at, time.Now()
	}
	return time.Until(p.began.Add(time.Duration(float64(at.Sub(p.from)) / p.speed)))
}

func sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
