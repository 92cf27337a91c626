package undo

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestRunIsLIFOAndOnce(t *testing.T) {
	var s Stack
	var got []string
	for _, name := range []string{"a", "b", "c"} {
		s.Push(name, func(context.Context) error { got = append(got, name); return nil })
	}
	for range 2 {
		if err := s.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"c", "b", "a"}; !slices.Equal(got, want) {
		t.Errorf("ran %v, want %v", got, want)
	}
}

func TestRunGoesOnAfterFailures(t *testing.T) {
	errA, errC := errors.New("a is stuck"), errors.New("c is gone")
	s := Stack{Limit: 50 * time.Millisecond}
	var ran atomic.Int64 // atomic: the deaf step is left behind
	s.Push("undo a", func(context.Context) error { ran.Add(1); return errA })
	s.Push("undo panic", func(context.Context) error { ran.Add(1); panic("ouch") })
	s.Push("undo exit", func(context.Context) error { ran.Add(1); runtime.Goexit(); return nil })
	s.Push("undo slow", func(ctx context.Context) error { ran.Add(1); <-ctx.Done(); return ctx.Err() })
	block := make(chan struct{})
	defer close(block)
	s.Push("undo deaf", func(context.Context) error { ran.Add(1); <-block; return nil })
	s.Push("undo c", func(context.Context) error { ran.Add(1); return errC })

	err := s.Run(t.Context())
	if got := ran.Load(); got != 6 {
		t.Errorf("%d steps ran, want 6", got)
	}
	for _, want := range []error{errA, errC, context.DeadlineExceeded} {
		if !errors.Is(err, want) {
			t.Errorf("error misses %v", want)
		}
	}
	want := strings.Join([]string{
		"undo c: c is gone",
		"undo deaf: left behind after 50ms: context deadline exceeded",
		"undo slow: context deadline exceeded",
		"undo exit: step exited its goroutine",
		"undo panic: panic: ouch",
		"undo a: a is stuck",
	}, "\n")
	if err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%v", err, want)
	}
}

type key struct{}

func TestRunIgnoresCancellation(t *testing.T) {
	var s Stack
	s.Push("look", func(ctx context.Context) error {
		if _, ok := ctx.Deadline(); !ok {
			return errors.New("no deadline")
		}
		if ctx.Value(key{}) != "kept" {
			return errors.New("value lost")
		}
		return ctx.Err()
	})
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "kept"))
	cancel()
	if err := s.Run(ctx); err != nil {
		t.Error(err)
	}
}

func TestStepPushedWhileRunning(t *testing.T) {
	var s Stack
	late := false
	s.Push("outer", func(context.Context) error {
		s.Push("inner", func(context.Context) error { late = true; return nil })
		return nil
	})
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !late {
		t.Error("the step pushed while running was not undone")
	}
}

func TestConcurrentUse(t *testing.T) {
	var s Stack
	var ran atomic.Int64
	var wg sync.WaitGroup
	const pushers, each = 8, 100
	for i := range pushers {
		wg.Go(func() {
			for j := range each {
				s.Push(fmt.Sprint(i, j), func(context.Context) error { ran.Add(1); return nil })
			}
		})
		wg.Go(func() {
			if err := s.Run(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := ran.Load(); got != pushers*each {
		t.Errorf("%d steps ran, want each of %d once", got, pushers*each)
	}
}

func TestSecondRunWaits(t *testing.T) {
	var s Stack
	started, release := make(chan struct{}), make(chan struct{})
	var done atomic.Bool
	s.Push("slow", func(context.Context) error {
		close(started)
		<-release
		done.Store(true)
		return nil
	})
	first := make(chan error, 1)
	go func() { first <- s.Run(t.Context()) }()
	<-started
	time.AfterFunc(20*time.Millisecond, func() { close(release) })
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !done.Load() {
		t.Error("second Run returned before the first one's step ended")
	}
	if err := <-first; err != nil {
		t.Error(err)
	}
}
