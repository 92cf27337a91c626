package probes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"virtscope/results"
)

// A Set runs probes together, once: Start, then Stop. The zero value is ready to use.
type Set struct {
	Host      string        // whose clock stamps a ProbeFailed record
	ArmLimit  time.Duration // how long the probes may take to be armed; 0 is 10 s
	StopLimit time.Duration // how long they may take to end; 0 is 10 s

	cancel  context.CancelFunc
	clock   *StepDetector
	members []*member
	failed  chan struct{} // closed at the first failure
	mu      sync.Mutex
	errs    []error
}

// A member is one probe of a set and how far it is.
type member struct {
	probe Probe
	armed chan struct{}
	done  chan struct{}
}

// Start runs all probes and returns when every one of them is armed. If one fails before, or is not armed
// in time, all are stopped and the error names it. Cancelling ctx ends the probes, as Stop does.
func (s *Set) Start(ctx context.Context, rec results.Recorder, probes ...Probe) error {
	if s.failed != nil {
		return errors.New("start probes: this set was started before: use a new one")
	}
	ctx, s.cancel = context.WithCancel(ctx)
	s.failed = make(chan struct{})
	s.clock = NewStepDetector()
	for _, p := range probes {
		m := &member{probe: p, armed: make(chan struct{}), done: make(chan struct{})}
		s.members = append(s.members, m)
		go s.run(ctx, rec, m)
	}
	err := s.awaitArmed(ctx)
	if err == nil {
		return nil
	}
	return errors.Join(err, s.Stop())
}

// awaitArmed waits until all are armed; the error of a probe that failed is left to Stop.
func (s *Set) awaitArmed(ctx context.Context) error {
	limit := time.NewTimer(or(s.ArmLimit, 10*time.Second))
	defer limit.Stop()
	for _, m := range s.members {
		select {
		case <-m.armed:
		case <-s.failed:
			return errors.New("start probes: one failed before all were armed")
		case <-ctx.Done():
			return fmt.Errorf("start probes: wait for probe %s: %w", m.probe.Name(), context.Cause(ctx))
		case <-limit.C:
			return fmt.Errorf("start probes: probe %s was not armed within %v", m.probe.Name(), or(s.ArmLimit, 10*time.Second))
		}
	}
	select {
	case <-s.failed:
		return errors.New("start probes: one failed before all were armed")
	default:
		return nil
	}
}

func (s *Set) run(ctx context.Context, rec results.Recorder, m *member) {
	defer close(m.done)
	var once sync.Once
	err := m.probe.Run(ctx, rec, func() { once.Do(func() { close(m.armed) }) })
	if err == nil && ctx.Err() == nil {
		err = errors.New("ended before it was told to")
	}
	if err == nil {
		return
	}
	rec.Record(results.Record{
		Time: time.Now().UnixNano(), Host: s.Host, Source: m.probe.Name(), Name: results.ProbeFailed,
		Attrs: map[string]string{"error": err.Error()},
	})
	s.fail(fmt.Errorf("probe %s: %w", m.probe.Name(), err))
}

func (s *Set) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errs = append(s.errs, err)
	if len(s.errs) == 1 {
		close(s.failed)
	}
}

// Failed is closed as soon as a probe cannot go on: the trial is invalid. Valid after Start.
func (s *Set) Failed() <-chan struct{} { return s.failed }

// Err joins the errors of the probes that failed so far.
func (s *Set) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.errs...)
}

// Stop ends all probes and waits, within StopLimit, until each has given its records. It returns the joined
// errors of all that failed, at any time, and names those that did not end. A step of the wall clock since
// Start is an error too: every record carries that clock. It may be called again, by the same goroutine.
func (s *Set) Stop() error {
	if s.cancel == nil {
		return nil
	}
	s.cancel()
	if err := s.clock.Check(); err != nil {
		s.fail(err)
	}
	limit := time.NewTimer(or(s.StopLimit, 10*time.Second))
	defer limit.Stop()
	expired := false
	var hung []string
	for _, m := range s.members {
		if !expired {
			select {
			case <-m.done:
				continue
			case <-limit.C:
				expired = true
			}
		}
		select {
		case <-m.done:
		default:
			hung = append(hung, m.probe.Name())
		}
	}
	if len(hung) == 0 {
		return s.Err()
	}
	return errors.Join(s.Err(), fmt.Errorf("stop probes: still running after %v: %s", or(s.StopLimit, 10*time.Second), strings.Join(hung, ", ")))
}

func or(d, fallback time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return fallback
}
