package runner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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
	groups []*group
}

// A group is the guests that end in one step of tear-down.
type group struct {
	joined int
	open   map[guest.Instance]bool // those that have not ended
}

// add makes a guest one of the trial's.
func (c *crowd) add(g guest.Instance) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.groups) == 0 || c.groups[len(c.groups)-1].joined == cohort {
		added := &group{open: make(map[guest.Instance]bool)}
		c.groups = append(c.groups, added)
		c.e.undo.Push("guests", func(context.Context) error { return c.endGroup(added) })
	}
	last := c.groups[len(c.groups)-1]
	last.joined++
	last.open[g] = true
	c.e.live.add(g)
}

func (c *crowd) endGroup(of *group) error {
	c.mu.Lock()
	list := slices.Collect(maps.Keys(of.open))
	c.mu.Unlock()
	errs := make([]error, len(list))
	var all sync.WaitGroup
	for i, g := range list {
		all.Go(func() { errs[i] = c.end(g) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// endAll ends those that have not ended.
func (c *crowd) endAll() error {
	c.mu.Lock()
	groups := slices.Clone(c.groups)
	c.mu.Unlock()
	var errs []error
	for _, of := range groups {
		errs = append(errs, c.endGroup(of))
	}
	return errors.Join(errs...)
}

// end ends a guest before the trial does.
func (c *crowd) end(g guest.Instance) error {
	c.e.live.remove(g)
	err := g.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, of := range c.groups {
		delete(of.open, g)
	}
	return err
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
