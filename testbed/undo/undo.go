// Package undo is the clean-up stack: whatever is acquired pushes how to give it back.
package undo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// DefaultLimit is how long a step may take when Stack.Limit is zero.
const DefaultLimit = 10 * time.Second

// A Stack holds clean-up steps and runs them last in, first out. The zero value is ready to use, and it is
// safe for concurrent use.
type Stack struct {
	// Limit is how long one step may take. Zero is DefaultLimit. Set it before the first Run.
	Limit time.Duration

	running sync.Mutex // held by Run, so that a second Run returns only when everything is undone
	mu      sync.Mutex // guards steps
	steps   []step
}

type step struct {
	name string
	run  func(context.Context) error
}

// Push adds a step; name says what is undone, such as "delete namespace vs-1a2b3c-src". A step that is pushed
// while Run runs is undone by that Run.
func (s *Stack) Push(name string, run func(context.Context) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps = append(s.steps, step{name, run})
}

// Run undoes every step, last in, first out, each one once, and returns their errors joined, each with its
// step's name. Cancelling ctx does not stop it; its values are kept. A step that fails, panics or overruns
// its limit does not keep the others from running. A step is given a context that ends with its limit; one
// that ignores it is left behind in its goroutine. Running again undoes what was pushed since: nothing, if
// nothing was. A step must not call Run.
func (s *Stack) Run(ctx context.Context) error {
	s.running.Lock()
	defer s.running.Unlock()
	ctx = context.WithoutCancel(ctx)
	var errs []error
	for {
		st, ok := s.pop()
		if !ok {
			return errors.Join(errs...)
		}
		if err := s.undo(ctx, st); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", st.name, err))
		}
	}
}

func (s *Stack) pop() (step, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.steps) == 0 {
		return step{}, false
	}
	last := len(s.steps) - 1
	st := s.steps[last]
	s.steps = s.steps[:last]
	return st, true
}

func (s *Stack) undo(ctx context.Context, st step) error {
	limit := s.Limit
	if limit <= 0 {
		limit = DefaultLimit
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ended := make(chan error, 1)
	go guarded(ctx, st.run, ended)

	// A step that heeds its context gets a moment to say what went wrong.
	overrun := time.NewTimer(limit + limit/10)
	defer overrun.Stop()
	select {
	case err := <-ended:
		return err
	case <-overrun.C:
		return fmt.Errorf("left behind after %s: %w", limit, context.DeadlineExceeded)
	}
}

// guarded runs a step and sends its error; a panic, or an exit of the goroutine, is an error too.
func guarded(ctx context.Context, run func(context.Context) error, ended chan<- error) {
	err := errors.New("step exited its goroutine")
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
		ended <- err
	}()
	err = run(ctx)
}
