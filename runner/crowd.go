package runner

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
)

// cohort is how many guests end at once in tear-down: together they have the time of one step.
const cohort = 16

// A crowd is the guests that an action started. Each ends with the trial at the latest, many at a time. It is safe for concurrent
// use.
type crowd struct {
	e *execution

	mu     sync.Mutex
	latest *group
}

// A group is the guests that end in one step.
type group struct {
	joined int
	list   map[guest.Instance]bool // those that have not ended
}

// add makes a guest one of the trial's.
func (c *crowd) add(g guest.Instance) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.latest == nil || c.latest.joined == cohort {
		added := &group{list: make(map[guest.Instance]bool)}
		c.latest = added
		c.e.undo.Push("guests", func(context.Context) error { return c.endAll(added) })
	}
	c.latest.joined++
	c.latest.list[g] = true
	c.e.live.add(g)
}

func (c *crowd) endAll(of *group) error {
	c.mu.Lock()
	list := make([]guest.Instance, 0, len(of.list))
	for g := range of.list {
		list = append(list, g)
	}
	c.mu.Unlock()
	errs := make([]error, len(list))
	var all sync.WaitGroup
	for i, g := range list {
		all.Go(func() { errs[i] = c.end(g) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// end ends a guest before the trial does.
func (c *crowd) end(g guest.Instance) error {
	c.e.live.remove(g)
	return g.Close()
}

// agentOf is the agent of a guest.
func agentOf(g guest.Instance) (*agent.Client, error) {
	agented, ok := g.(guest.Agented)
	if !ok {
		return nil, errors.New("the guest has no agent")
	}
	return agented.Agent(), nil
}

// untilEnded bounds a wait for a guest by its end. The error of the context's cause says so.
func untilEnded(ctx context.Context, g guest.Instance) (bounded context.Context, release func()) {
	bounded, cancel := context.WithCancelCause(ctx)
	released := make(chan struct{})
	go func() {
		select {
		case <-g.Done():
			cancel(errEnded)
		case <-released:
		}
	}()
	return bounded, func() { close(released); cancel(nil) }
}

var errEnded = errors.New("the guest ended by itself: see its console")

// causeOf adds to err why its context is done.
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}
