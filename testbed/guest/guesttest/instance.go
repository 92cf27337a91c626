package guesttest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/host"
)

var (
	_ guest.Instance = (*instance)(nil)
	_ guest.Agented  = (*instance)(nil)
	_ guest.Migrator = (*instance)(nil)
)

// An instance is a guest, in one process after the other.
type instance struct {
	command []string
	spec    guest.Spec
	rec     results.Recorder
	agent   *agent.Client

	mu       sync.Mutex
	current  *member
	live     []*member
	spawned  int
	closed   bool
	done     chan struct{}
	doneOnce sync.Once
}

// spawn starts a process for this guest and attaches its agent. It is closed with the instance.
func (i *instance) spawn(ctx context.Context, h host.Host, role, incoming string) (*member, error) {
	i.mu.Lock()
	i.spawned++
	n := i.spawned
	i.mu.Unlock()
	path, err := socketPath(i.spec.Dir, n)
	if err != nil {
		return nil, err
	}
	c, err := cardOf(i.spec)
	if err != nil {
		return nil, err
	}
	// A process that was killed leaves its socket's file.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	m, err := spawn(ctx, h, i.command, arguments{tap: i.spec.NIC.Tap, card: c, agent: path, incoming: incoming}, role)
	if err != nil {
		return nil, err
	}
	i.mu.Lock()
	if i.closed {
		i.mu.Unlock()
		return nil, errors.Join(fmt.Errorf("start on %s: the guest was closed", h.Name()), m.agent.Close(), m.close())
	}
	i.live = append(i.live, m)
	i.mu.Unlock()
	i.agent.Attach(h.Name(), m.agent)
	return m, nil
}

// drop ends one of the guest's processes.
func (i *instance) drop(m *member) error {
	i.mu.Lock()
	i.live = slices.DeleteFunc(i.live, func(l *member) bool { return l == m })
	i.mu.Unlock()
	return m.close()
}

// moveTo says that the guest is in m from now on.
func (i *instance) moveTo(m *member) {
	i.mu.Lock()
	i.current = m
	i.mu.Unlock()
	go func() {
		<-m.proc.Done()
		if i.running() == m {
			i.end()
		}
	}()
}

func (i *instance) end() { i.doneOnce.Do(func() { close(i.done) }) }

func (i *instance) running() *member {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.current
}

func (i *instance) Host() host.Host       { return i.running().host }
func (i *instance) Agent() *agent.Client  { return i.agent }
func (i *instance) Done() <-chan struct{} { return i.done }

func (i *instance) Processes() []guest.Process {
	i.mu.Lock()
	defer i.mu.Unlock()
	var list []guest.Process
	for _, m := range i.live {
		select {
		case <-m.proc.Done():
		default:
			list = append(list, guest.Process{Host: m.host.Name(), Role: m.role, PID: m.proc.PID()})
		}
	}
	return list
}

// Close implements guest.Instance. It ends a migration that goes on.
func (i *instance) Close() error {
	i.mu.Lock()
	i.closed = true
	members := slices.Clone(i.live)
	i.mu.Unlock()
	var errs []error
	for _, m := range members {
		errs = append(errs, i.drop(m))
	}
	errs = append(errs, i.agent.Close())
	i.end()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close scripted guest: %w", err)
	}
	return nil
}
