package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"virtscope/experiments/plan"
	"virtscope/results"
	"virtscope/runner"

	"golang.org/x/term"
)

var _ runner.Progress = (*status)(nil)

// redraw is how often the status line is drawn on a terminal.
const redraw = 200 * time.Millisecond

// A status shows a run's progress: one line that is redrawn on a terminal, a line per trial elsewhere.
type status struct {
	w        io.Writer
	terminal bool
	width    func() int

	mu       sync.Mutex
	heading  string // which trial
	state    string
	detail   string // of the action
	since    time.Time
	expect   time.Duration
	deadline time.Time     // when the run will be over, roughly
	note     func() string // more to say; may be nil
	stop     chan struct{}
	stopped  sync.WaitGroup
}

// newStatus draws on f. The caller calls close.
func newStatus(f *os.File) *status {
	s := &status{w: f, terminal: term.IsTerminal(int(f.Fd())), stop: make(chan struct{})}
	s.width = func() int {
		w, _, err := term.GetSize(int(f.Fd()))
		if err != nil || w < 20 {
			return 80
		}
		return w
	}
	if s.terminal {
		s.stopped.Go(s.run)
	}
	return s
}

func (s *status) run() {
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.draw(time.Now())
		case <-s.stop:
			return
		}
	}
}

// close ends the drawing and clears the line.
func (s *status) close() {
	close(s.stop)
	s.stopped.Wait()
	s.clear()
}

func (s *status) clear() {
	if s.terminal {
		fmt.Fprint(s.w, "\r\x1b[K")
	}
}

// draw writes outside the lock: a terminal that is stopped must not hold up the trial.
func (s *status) draw(now time.Time) {
	if line := s.line(now); line != "" {
		fmt.Fprintf(s.w, "\r%s\x1b[K", line)
	}
}

func (s *status) line(now time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.heading == "" {
		return ""
	}
	line := fmt.Sprintf("%s · %s", s.heading, s.phase(now))
	if left := s.deadline.Sub(now); left > 0 {
		line += fmt.Sprintf(" · about %s left", left.Round(time.Second))
	}
	if s.note == nil {
		return clip(line, s.width()-1)
	}
	return withNote(line, s.note(), s.width()-1)
}

// phase is the state, how long it has lasted, and how long it should.
func (s *status) phase(now time.Time) string {
	text := s.state
	if s.detail != "" {
		text += ", " + s.detail
	}
	text += fmt.Sprintf(" %.1f s", now.Sub(s.since).Seconds())
	if s.expect > 0 {
		text += fmt.Sprintf(" of %.1f s", s.expect.Seconds())
	}
	return text
}

// Trial implements runner.Progress.
func (s *status) Trial(t plan.Trial, attempt, all int, left time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heading = fmt.Sprintf("[%d/%d] %s, replicate %d", t.Order, all, t.Treatment, t.Replicate)
	if attempt > 1 {
		s.heading += fmt.Sprintf(", attempt %d", attempt)
	}
	s.deadline = time.Now().Add(left)
}

// State implements runner.Progress.
func (s *status) State(state string, expect time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state, s.detail, s.since, s.expect = state, "", time.Now(), expect
}

// Event implements runner.Progress.
func (s *status) Event(r results.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.state != results.StateAction:
	case r.Name == results.PreCopyRound:
		s.detail = fmt.Sprintf("pre-copy round %.0f", r.Value)
	case r.Name == results.VMStop:
		s.detail = "stop-and-copy"
	case r.Name == results.VMResume:
		s.detail = "resumed on " + r.Host
	case r.Name == results.MigrationStatus && strings.HasPrefix(r.Attrs["status"], "postcopy"):
		s.detail = "post-copy" + strings.TrimPrefix(strings.TrimPrefix(r.Attrs["status"], "postcopy"), "-active")
	case r.Name == results.LinkDown:
		s.detail = r.Attrs["link"] + " cut"
	case r.Name == results.LinkUp:
		s.detail = r.Attrs["link"] + " mended"
	case r.Name == results.Fault:
		s.detail = r.Attrs["kind"] + ", on purpose"
	}
}

// Done implements runner.Progress.
func (s *status) Done(o results.Outcome) {
	s.mu.Lock()
	line := fmt.Sprintf("%s: %s in %.1f s", s.heading, o.Verdict, o.End.Sub(o.Begin).Seconds())
	if o.Reason != "" {
		line += ": " + o.Reason
	}
	s.heading = ""
	s.mu.Unlock()
	s.clear()
	fmt.Fprintln(s.w, line)
}
