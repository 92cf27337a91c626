package influx

import (
	"context"
	"errors"
	"io/fs"
	"time"
	"virtscope/results"
)

const (
	pollRun   = 200 * time.Millisecond // how often a run is looked at that has nothing new
	readLimit = 1000                   // records at a time
	partEvery = time.Second            // a gentle Shipper sends a batch that is not full, at most
	fullEvery = time.Second / 10       // and a full one
)

// A reader makes batches of a run's attempts in the order in which they began.
type reader struct {
	shipper *Shipper
	ledger  *ledger
	ctx     context.Context //nolint:containedctx // of one Ship, whose goroutine the reader is
	work    chan<- *batch

	submitted time.Time // the last batch
	later     []late    // in the order in which they were read
}

func (r *reader) run() error {
	if err := r.head(); err != nil {
		return err
	}
	for {
		// Asked before the look: what is written before it is over is then seen for sure.
		over := r.shipper.over()
		size, err := r.shipper.Run.JournalSize()
		if err != nil {
			return err
		}
		todo, err := r.todo()
		if err != nil {
			return err
		}
		fresh := false
		for _, a := range todo {
			on, err := r.attempt(a, over)
			if err != nil {
				return err
			}
			fresh = fresh || on
		}
		if fresh {
			continue
		}
		if over {
			return r.belated()
		}
		for now := size; now == size && !r.shipper.over(); {
			if err := sleep(r.ctx, pollRun); err != nil {
				return err
			}
			if len(todo) > 0 {
				break
			}
			if now, err = r.shipper.Run.JournalSize(); err != nil {
				return err
			}
		}
	}
}

// head submits what is said about the run as such.
func (r *reader) head() error {
	r.ledger.mu.Lock()
	done := r.ledger.state.Head
	r.ledger.mu.Unlock()
	if r.shipper.Head == nil || done {
		return nil
	}
	text, err := r.shipper.Head()
	if err != nil {
		return err
	}
	b := &batch{attempt: -1}
	eachLine(text, func(line []byte) {
		if err == nil && len(b.text) >= maxBatchBytes {
			err = r.submit(b)
			b = &batch{attempt: -1}
		}
		b.text = append(b.text, line...)
		b.add(0)
	})
	if err != nil {
		return err
	}
	b.last = true
	return r.submit(b)
}

// todo are the attempts that are not wholly read, in the order of the state, then in that in which they began.
func (r *reader) todo() ([]results.Attempted, error) {
	all, err := r.shipper.Run.Attempts()
	if err != nil {
		return nil, err
	}
	type key struct {
		trial   string
		attempt int
	}
	place := map[key]results.Attempted{}
	for _, a := range all {
		place[key{a.Trial.ID, a.Number}] = a
	}
	var todo []results.Attempted
	r.ledger.mu.Lock()
	defer r.ledger.mu.Unlock()
	for _, known := range r.ledger.state.Attempts {
		k := key{known.Trial, known.Attempt}
		if a, ok := place[k]; ok && !known.Done && !known.read {
			todo = append(todo, a)
		}
		delete(place, k)
	}
	for _, a := range all {
		if _, ok := place[key{a.Trial.ID, a.Number}]; ok {
			todo = append(todo, a)
		}
	}
	return todo, nil
}

// enter finds the attempt in the state, or adds it.
func (r *reader) enter(a results.Attempted) (index int, known AttemptState) {
	r.ledger.mu.Lock()
	defer r.ledger.mu.Unlock()
	state := r.ledger.state
	index = state.find(a.Trial.ID, a.Number)
	if index < 0 {
		before := int64(0)
		for _, earlier := range state.Attempts {
			before = max(before, earlier.Latest)
		}
		index = len(state.Attempts)
		state.Attempts = append(state.Attempts, AttemptState{Trial: a.Trial.ID, Attempt: a.Number, Before: before})
	}
	return index, state.Attempts[index]
}

// errMoved says that the folder is another attempt's by now.
var errMoved = errors.New("the attempt was set aside")

// attempt reads an attempt to its end, or for nothing if its folder was moved meanwhile. It does not come on with one whose file is about to be made.
func (r *reader) attempt(a results.Attempted, over bool) (on bool, err error) {
	s := r.shipper
	dir, _ := s.Run.AttemptDir(a.Trial.ID, a.Number)
	index, known := r.enter(a)
	s.mu.Lock()
	s.at = &a
	s.mu.Unlock()
	p := &part{
		reader: r, attempt: a, index: index, skip: known.Records, live: !over,
		encoder: NewEncoder(Labels{Run: s.Run.Manifest.Run, Experiment: s.Run.Manifest.Name}, a.Trial, a.Number, known.Before),
	}
	p.fresh()
	tail := results.NewTail(dir)
	tail.Over = func() bool { return s.Run.AttemptOver(a.Trial.ID, a.Number) || s.over() }
	err = tail.Each(r.ctx, readLimit, func(records []results.Record) error {
		if p.count == 0 {
			if now, _ := s.Run.AttemptDir(a.Trial.ID, a.Number); now != dir {
				return errMoved
			}
		}
		return p.take(records)
	})
	switch {
	case r.ctx.Err() != nil:
		return false, r.ctx.Err()
	case errors.Is(err, errMoved):
		return true, nil
	case errors.Is(err, fs.ErrNotExist) && !s.over():
		return false, nil
	case p.failed != nil:
		return false, p.failed
	}
	if now, _ := s.Run.AttemptDir(a.Trial.ID, a.Number); p.count == 0 && now != dir {
		return true, nil // what was read may be the file of the attempt that took its place
	}
	note := ""
	if err != nil {
		note = err.Error()
	}
	return true, p.end(note)
}

// submit hands a batch to those that send. It waits until one of them is free.
func (r *reader) submit(b *batch) error {
	r.ledger.expect(b)
	r.submitted = time.Now()
	select {
	case r.work <- b:
		return nil
	case <-r.ctx.Done():
		return r.ctx.Err()
	}
}
