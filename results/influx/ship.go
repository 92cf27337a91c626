package influx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"virtscope/results"
)

// A Shipper brings the records of a run to a target. It reads what is on disk and nothing else: whoever writes there never waits for it, and a server that
// is away only makes it lag. The exported fields are set before Ship.
type Shipper struct {
	Run    *results.Run
	Target Target

	// Over reports that the run gets no more attempts. Nil asks whether a process works on the run.
	Over func() bool
	// Again sends all again; that changes nothing on a server that has it.
	Again bool
	// Gentle ships beside a trial that is measured: one batch at a time, at most ten a second, from threads of low priority, until the run is over.
	Gentle bool
	// GiveUp is how long a server may take nothing before Ship returns. 0 never.
	GiveUp time.Duration
	// Head are lines about the run, sent once, before all others. Nil sends none.
	Head func() ([]byte, error)
	// Beside are lines about an attempt that has an outcome, sent after its records; of a large one a gentle Shipper asks once the run is over. Lines beside an
	// error are those that there are without what the error says, which becomes the attempt's note. Nil sends none.
	Beside func(context.Context, results.Attempted) ([]byte, error)

	batchLines int           // 0 is maxBatchLines
	maxBeside  int64         // 0 is the constant
	saveEvery  time.Duration // 0 is as the others say

	mu     sync.Mutex
	ledger *ledger
	gate   *gate
	at     *results.Attempted
}

// Bounds of a batch, and of how many are on their way.
const (
	maxBatchLines = 10_000
	maxBatchBytes = 2 << 20
	inFlight      = 2 // more would make a server sort what comes in disorder
)

// Ship ships what the state says is not shipped yet. It returns nil after all of a run that is over; else the error says how to go on. What was taken is
// remembered in any case.
func (s *Shipper) Ship(ctx context.Context) error {
	release, err := lockState(s.Run.Dir, s.Target)
	if err != nil {
		return err
	}
	defer release()
	state, err := s.begin()
	if err != nil {
		return err
	}
	senders := inFlight
	every := time.Second
	if s.Gentle {
		senders, every = 1, 5*time.Second
	}
	every = cmp.Or(s.saveEvery, every)
	c, err := connect(s.Target, senders)
	if err != nil {
		return err
	}
	defer c.close()
	l, err := openLedger(state, statePath(s.Run.Dir, s.Target), RefusedPath(s.Run.Dir, s.Target), every)
	if err != nil {
		return err
	}
	g := &gate{giveUp: s.GiveUp}
	s.mu.Lock()
	s.ledger, s.gate = l, g
	s.mu.Unlock()
	took := &atomic.Bool{}
	took.Store(state.Head || state.Settled() > state.Lost) // by the state: an earlier Shipper's count, too
	err = s.pump(ctx, l, &sender{client: c, gate: g, took: took}, senders)
	err = withClose(err, l.close())
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("ship %s to %s: %w", s.Run.Manifest.Run, s.Target, err)
	}
	return err
}

// withClose joins what closing says, unless the folder could not be written to before: then that is the same again.
func withClose(err, closing error) error {
	var before, now *diskError
	if errors.As(err, &before) && errors.As(closing, &now) {
		return err
	}
	return errors.Join(err, closing)
}

// begin is the state to go on from.
func (s *Shipper) begin() (*State, error) {
	state, err := ReadState(s.Run, s.Target)
	if err != nil || !s.Again {
		return state, err
	}
	state.Head, state.Refused, state.Lost, state.Kept = false, 0, 0, 0
	for i := range state.Attempts {
		// Their order and what their Encoders begin with stay: the lines come out alike.
		a := &state.Attempts[i]
		a.Records, a.Done, a.Note = 0, false, ""
	}
	return state, nil
}

// pump reads in one goroutine and sends in some.
func (s *Shipper) pump(ctx context.Context, l *ledger, send *sender, senders int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan *batch)
	var workers sync.WaitGroup
	for range senders {
		workers.Go(func() {
			s.lower()
			for b := range work {
				err := send.deliver(ctx, b)
				if err == nil {
					err = l.settle(b)
				}
				if err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	read := make(chan error, 1)
	go func() {
		s.lower()
		defer close(work)
		r := &reader{shipper: s, ledger: l, ctx: ctx, work: work}
		read <- r.run()
	}()
	err := <-read
	workers.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (s *Shipper) lower() {
	if s.Gentle {
		lowerThread()
	}
}

// over reports whether the run gets no more attempts; a file system that cannot tell is taken for a run that ended.
func (s *Shipper) over() bool {
	if s.Over != nil {
		return s.Over()
	}
	live, err := s.Run.Live()
	return err != nil || !live
}

// sure reports whether over is known.
func (s *Shipper) sure() bool {
	if s.Over != nil {
		return true
	}
	_, err := s.Run.Live()
	return err == nil
}

// lines bounds a batch.
func (s *Shipper) lines() int { return cmp.Or(s.batchLines, maxBatchLines) }

// Status is how far a Shipper is.
type Status struct {
	Known   bool      // it has begun; else there are no figures
	Records int64     // settled, in all: the target has or refused them
	Sent    int64     // that the target took from this Shipper
	Refused int64     // records and other lines, in all
	Lost    int64     // of them records
	Retries int64     // requests that were made again
	Trouble string    // why the last request failed; "" if it did not
	Since   time.Time // the first request since the last success that failed; zero if none did
	At      string    // the attempt that is read; "" if none is
}

// Status is safe to ask while Ship runs.
func (s *Shipper) Status() Status {
	s.mu.Lock()
	l, g, at := s.ledger, s.gate, s.at
	s.mu.Unlock()
	if l == nil {
		return Status{}
	}
	l.mu.Lock()
	out := Status{Known: true, Records: l.state.Settled(), Sent: l.sent - l.lost, Refused: l.state.Refused, Lost: l.state.Lost}
	l.mu.Unlock()
	g.mu.Lock()
	out.Retries, out.Trouble, out.Since = g.retries, g.reason, g.first
	g.mu.Unlock()
	if at != nil {
		out.At = at.Trial.ID
	}
	return out
}

// RefusedFile is where what the target refused is kept, below the run folder.
func (s *Shipper) RefusedFile() string {
	path := RefusedPath(s.Run.Dir, s.Target)
	if rel, err := filepath.Rel(s.Run.Dir, path); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return path
}
