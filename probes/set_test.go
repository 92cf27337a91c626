package probes

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"virtscope/results"
)

// fake is a probe made of one function.
type fake struct {
	name string
	run  func(ctx context.Context, rec results.Recorder, armed func()) error
}

func (f fake) Name() string { return f.name }

func (f fake) Run(ctx context.Context, rec results.Recorder, armed func()) error {
	return f.run(ctx, rec, armed)
}

// log is a Recorder that keeps everything.
type log struct {
	mu      sync.Mutex
	records []results.Record
}

func (l *log) Record(r results.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records = append(l.records, r)
}

func (l *log) named(name string) []results.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.records), func(r results.Record) bool { return r.Name != name })
}

func good(name string, ended *bool) fake {
	return fake{name, func(ctx context.Context, _ results.Recorder, armed func()) error {
		armed()
		<-ctx.Done()
		*ended = true
		return nil
	}}
}

func TestSetStartsAndStops(t *testing.T) {
	t.Parallel()
	var a, b bool
	var rec log
	s := Set{Host: "controller"}
	if err := s.Start(t.Context(), &rec, good("a", &a), good("b", &b)); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if !a || !b {
		t.Fatal("stop returned before the probes had ended")
	}
	if err := s.Stop(); err != nil {
		t.Fatalf("second stop: %v", err)
	}
	if err := s.Start(t.Context(), &rec); err == nil {
		t.Fatal("a set was started twice")
	}
	if len(rec.records) != 0 {
		t.Fatalf("records: %v", rec.records)
	}
}

func TestSetStopsAllWhenOneCannotArm(t *testing.T) {
	t.Parallel()
	var ended bool
	var rec log
	broken := errors.New("open socket: permission denied")
	s := Set{Host: "controller"}
	err := s.Start(t.Context(), &rec, good("a", &ended), fake{"capture/switch", func(context.Context, results.Recorder, func()) error {
		return broken
	}})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "probe capture/switch") {
		t.Fatalf("got %v", err)
	}
	if !ended {
		t.Fatal("the other probe was left running")
	}
	failures := rec.named(results.ProbeFailed)
	if len(failures) != 1 || failures[0].Source != "capture/switch" || failures[0].Attrs["error"] != broken.Error() || failures[0].Host != "controller" {
		t.Fatalf("got %+v", failures)
	}
}

func TestSetTellsOfFailureEarly(t *testing.T) {
	t.Parallel()
	var ended bool
	var rec log
	broken, fail := errors.New("interface went down"), make(chan struct{})
	var s Set
	err := s.Start(t.Context(), &rec, good("a", &ended), fake{"b", func(_ context.Context, _ results.Recorder, armed func()) error {
		armed()
		<-fail
		return broken
	}})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.Failed():
		t.Fatal("failed before it did")
	default:
	}
	close(fail)
	<-s.Failed()
	if !errors.Is(s.Err(), broken) {
		t.Fatalf("got %v", s.Err())
	}
	if ended {
		t.Fatal("the other probe was stopped: whether to go on is the caller's choice")
	}
	if err := s.Stop(); !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "probe b: ") {
		t.Fatalf("got %v", err)
	}
}

func TestSetReportsProbeThatEndsEarly(t *testing.T) {
	t.Parallel()
	var rec log
	var s Set
	err := s.Start(t.Context(), &rec, fake{"lazy", func(_ context.Context, _ results.Recorder, armed func()) error {
		armed()
		return nil
	}})
	err = errors.Join(err, s.Stop())
	if err == nil || !strings.Contains(err.Error(), "probe lazy: ended before it was told to") {
		t.Fatalf("got %v", err)
	}
}

func TestSetLimits(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	stuck := fake{"stuck", func(context.Context, results.Recorder, func()) error {
		<-release
		return nil
	}}
	s := Set{ArmLimit: time.Millisecond, StopLimit: time.Millisecond}
	err := s.Start(t.Context(), &log{}, stuck)
	if err == nil || !strings.Contains(err.Error(), "probe stuck was not armed") || !strings.Contains(err.Error(), "still running after 1ms: stuck") {
		t.Fatalf("got %v", err)
	}
	close(release)
	s.StopLimit = time.Minute
	if err := s.Stop(); err != nil {
		t.Fatalf("once it ended: %v", err)
	}
}

func TestSetEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var ended bool
	var s Set
	if err := s.Start(ctx, &log{}, good("a", &ended)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := s.Stop(); err != nil || !ended {
		t.Fatalf("ended %v, error %v", ended, err)
	}
}

func TestSetReportsClockStep(t *testing.T) {
	t.Parallel()
	var ended bool
	var s Set
	if err := s.Start(t.Context(), &log{}, good("a", &ended)); err != nil {
		t.Fatal(err)
	}
	s.clock.base.value -= time.Second // as if the clock had been set
	if err := s.Stop(); err == nil || !strings.Contains(err.Error(), "wall clock was stepped") {
		t.Fatalf("got %v", err)
	}
}
