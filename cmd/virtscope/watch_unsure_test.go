package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"virtscope/analysis/live"
	"virtscope/results"
)

var errNoLocks = errors.New("no locks available")

// unsureRun is a copy of the recorded run on a file system that cannot tell whether a process works on it. Cut leaves of it what a run has that is, or
// was, in its first trial; rest then writes what is missing.
func unsureRun(t *testing.T, o watchOptions, cut bool) (w *watcher, rest func()) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../analysis/live/testdata/quickstart")); err != nil {
		t.Fatal(err)
	}
	rest = func() {}
	if cut {
		trial := filepath.Join(dir, "trials", "001-rate-4MiBps-r1")
		outcome := filepath.Join(trial, "trial.json")
		whole, err := os.ReadFile(outcome)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(outcome); err != nil {
			t.Fatal(err)
		}
		records := cutFile(t, filepath.Join(trial, "records.ndjson.gz"), func([]byte) int { return 40000 })
		journal := cutFile(t, filepath.Join(dir, "journal.ndjson"), func(b []byte) int { return len(bytes.Join(bytes.SplitAfter(b, []byte("\n"))[:2], nil)) })
		rest = func() {
			records()
			if err := os.WriteFile(outcome, whole, 0o600); err != nil {
				t.Error(err)
			}
			journal()
		}
	}
	r, err := results.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	w = newWatcher(r, o, nil)
	w.ask = func() (live.Process, error) { return live.Unsure, errNoLocks }
	w.doubt.settle = 0
	return w, rest
}

// cutFile cuts a file at where its content says; rest appends what was there.
func cutFile(t *testing.T, path string, where func([]byte) int) (rest func()) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := where(data)
	if err := os.Truncate(path, int64(n)); err != nil {
		t.Fatal(err)
	}
	return func() {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := f.Write(data[n:]); err != nil {
			t.Error(err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestWatchWhereNobodyCanTell wants watch to end by itself, and to claim neither that the run goes on nor that it was killed.
func TestWatchWhereNobodyCanTell(t *testing.T) {
	for _, c := range []struct {
		name   string
		o      watchOptions
		cut    bool
		state  string
		gaveUp bool
		why    string // no more of the first trial is shown
	}{
		{name: "it has an end", state: "ended"},
		{name: "it has none", cut: true, state: "unknown", gaveUp: true, why: "whether more come is not known"},
		{name: "one trial of it", o: watchOptions{trial: 1}, cut: true, state: "unknown", why: "whether more come is not known"},
		{name: "as it happened", o: watchOptions{replay: true, speed: 1e6}, cut: true, state: "unknown", why: "whether more come is not known"},
	} {
		w, _ := unsureRun(t, c.o, c.cut)
		if err := w.follow(t.Context(), func() {}); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		v := w.state.View(w.now())
		if v.State != c.state || w.doubt.gaveUp != c.gaveUp || !strings.Contains(v.Trial.Cut, c.why) {
			t.Errorf("%s: %s, gave up: %v, %q", c.name, v.State, w.doubt.gaveUp, v.Trial.Cut)
		}
		if c.state == "unknown" && !strings.Contains(v.Advice, "whether a process still works on it is not known: "+errNoLocks.Error()) {
			t.Errorf("%s: %q", c.name, v.Advice)
		}
		text := strings.Join(live.Draw(v, plainWidth, false), "\n")
		if strings.Contains(text, "running") || strings.Contains(text, "killed") || strings.Contains(text, "gone") {
			t.Errorf("%s: it claims to know: %s", c.name, text)
		}
	}
}

// TestWatchFollowsWhereNobodyCanTell wants a run that goes on to be followed to its end.
func TestWatchFollowsWhereNobodyCanTell(t *testing.T) {
	w, rest := unsureRun(t, watchOptions{}, true)
	w.doubt.forever = true
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var goOn sync.Once
	err := w.follow(ctx, func() {
		var count int64
		w.update(func(s *live.Run) {
			if v := s.View(w.now()); v.Trial != nil {
				count = v.Trial.Records
			}
		})
		if count > 0 {
			goOn.Do(rest)
		}
	})
	if v := w.state.View(w.now()); err != nil || v.State != "ended" || v.Completed != 2 || v.Trial.Cut != "" {
		t.Errorf("%v: %s, %d completed, %q", err, v.State, v.Completed, v.Trial.Cut)
	}
}

func TestDoubt(t *testing.T) {
	now := time.Unix(10_000, 0)
	ago := func(s int) time.Time { return now.Add(-time.Duration(s) * time.Second) }
	for _, c := range []struct {
		name         string
		grew, newest time.Time
		forever      bool
		quiet        bool
	}{
		{name: "it grows", grew: ago(1), newest: ago(1)},
		{name: "old, and not sure yet that nothing comes", grew: ago(10), newest: ago(86400)},
		{name: "old", grew: ago(20), newest: ago(86400), quiet: true},
		{name: "it has just stopped", grew: ago(20), newest: ago(60)},
		{name: "it stopped", grew: ago(290), newest: ago(301), quiet: true},
		{name: "a clock that is ahead", grew: ago(20), newest: ago(-3600)},
		{name: "a clock that is ahead, and nothing comes", grew: ago(301), newest: ago(-3600), quiet: true},
		{name: "the user looks on", grew: ago(9000), newest: ago(9000), forever: true},
	} {
		d := doubt{patience: doubtPatience, settle: doubtSettle, grew: c.grew, forever: c.forever}
		if got := d.quiet(now, c.newest); got != c.quiet || d.gaveUp != c.quiet {
			t.Errorf("%s: %v", c.name, got)
		}
		d.grew = now // by what was there already
		if d.quiet(now, now) != c.quiet {
			t.Errorf("%s: it changed its mind", c.name)
		}
	}
}
