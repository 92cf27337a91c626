package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
	"virtscope/analysis/live"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"
)

// drawsOn reports whether a block can be redrawn there.
func drawsOn(f *os.File) bool {
	return term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

type showerOptions struct {
	json     bool // objects
	quick    bool // only the end counts
	terminal bool
	colour   bool
}

// A shower shows what a watcher knows: a block that is redrawn, lines, or objects.
type shower struct {
	w       io.Writer
	watcher *watcher
	showerOptions

	last  []string // the block on the terminal, without colour
	told  time.Time
	begun time.Time // of the run, for the time of lines
	stop  chan struct{}
	done  sync.WaitGroup
}

func newShower(w io.Writer, watcher *watcher, o showerOptions) *shower {
	return &shower{w: w, watcher: watcher, showerOptions: o, stop: make(chan struct{})}
}

// blocks reports whether a block is redrawn.
func (s *shower) blocks() bool { return s.terminal && !s.json }

func (s *shower) note(text string) { fmt.Fprintln(os.Stderr, live.Clean(text)) }

// start begins to redraw.
func (s *shower) start() {
	if !s.blocks() {
		return
	}
	s.done.Go(func() {
		tick := time.NewTicker(redraw)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.draw()
			case <-s.stop:
				return
			}
		}
	})
}

// changed is called after each change, in one goroutine.
func (s *shower) changed() {
	switch {
	case s.blocks():
	case s.quick:
		s.watcher.update(func(r *live.Run) { r.Lines() }) // they are not shown
	case s.json:
		s.object(false)
	default:
		s.lines()
	}
}

// finish shows the end.
func (s *shower) finish(error) {
	close(s.stop)
	s.done.Wait()
	switch {
	case s.json:
		s.object(true)
	case s.blocks():
		s.draw()
	default:
		s.lines()
		for _, line := range live.Draw(s.view(), plainWidth, false) {
			fmt.Fprintln(s.w, line)
		}
	}
}

// plainWidth is how wide a block is where there is no terminal.
const plainWidth = 100

func (s *shower) view() live.View {
	var v live.View
	s.watcher.update(func(r *live.Run) {
		v = r.View(s.watcher.now())
		r.Aged(&v, time.Now())
	})
	return v
}

// lines prints what happened since it last did.
func (s *shower) lines() {
	var list []live.Line
	s.watcher.update(func(r *live.Run) { list = r.Lines() })
	for _, l := range list {
		if s.begun.IsZero() {
			s.begun = l.Time
		}
		at := fmt.Sprintf("%9s  ", "—") // its time is not known
		if !l.Time.IsZero() {
			at = fmt.Sprintf("%9.3f s", l.Time.Sub(s.begun).Seconds())
		}
		fmt.Fprintf(s.w, "%s  %s\n", at, live.Clean(l.Text))
	}
}

// jsonEvery is how often an object is printed at most where nothing but figures changed.
const jsonEvery = time.Second

// object prints the view if something happened, or if it is the last.
func (s *shower) object(last bool) {
	var happened bool
	var now time.Time
	s.watcher.update(func(r *live.Run) {
		now = s.watcher.now()
		happened = len(r.Lines()) > 0
	})
	if !last && !happened && now.Sub(s.told) < jsonEvery {
		return
	}
	v := s.view()
	s.told = now
	data, err := v.JSON()
	if err != nil {
		s.note("watch: " + err.Error())
		return
	}
	fmt.Fprintf(s.w, "%s\n", data)
}

// draw replaces the block on the terminal.
func (s *shower) draw() {
	width, height := 80, 24
	if w, h, err := term.GetSize(int(os.Stdout.Fd())); err == nil && w > 0 && h > 0 {
		width, height = w, h
	}
	v := s.view()
	lines := live.Draw(v, width-1, s.colour)
	if n := height - 1; n > 0 && len(lines) > n {
		lines = lines[:n]
	}
	var b bytes.Buffer
	if up := s.rows(width); up > 0 {
		fmt.Fprintf(&b, "\r\x1b[%dA", up)
	}
	for _, l := range lines {
		b.WriteString(l + "\x1b[K\r\n")
	}
	b.WriteString("\x1b[J")
	s.last = s.last[:0]
	s.last = append(s.last, live.Draw(v, width-1, false)[:len(lines)]...)
	fmt.Fprint(s.w, b.String())
}

// rows is how many rows of a terminal so wide the block takes: its lines were broken if the terminal has become narrower.
func (s *shower) rows(width int) int {
	n := 0
	for _, l := range s.last {
		n += max(1, (runewidth.StringWidth(l)+width-1)/width)
	}
	return n
}
