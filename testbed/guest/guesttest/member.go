package guesttest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"virtscope/testbed/host"
)

// A member is one of the processes that a guest lives in during its life, as the driver sees it.
type member struct {
	host  host.Host
	role  string
	proc  host.Process
	agent net.Conn
	stdin *os.File

	news      chan report   // reports that answer no order
	connected chan struct{} // news too: of a source, that it sends now
	silent    chan struct{} // closed when it says no more

	mu      sync.Mutex
	nextID  int64
	waiting map[int64]chan report
	said    bytes.Buffer // on its standard error
}

// spawn starts a process on h and waits until it is ready. On an error nothing is left.
func spawn(ctx context.Context, h host.Host, command []string, args arguments, role string) (_ *member, err error) {
	m := &member{
		host: h, role: role, waiting: make(map[int64]chan report),
		news: make(chan report, 64), connected: make(chan struct{}, 64), silent: make(chan struct{}),
	}
	ours, theirs, err := m.pipes()
	if err != nil {
		return nil, err
	}
	m.proc, err = h.Start(ctx, host.Cmd{
		Path: command[0], Args: append(command[1:len(command):len(command)], args.list()...),
		Stdin: theirs.stdin, Stdout: theirs.stdout, Stderr: (*said)(m),
	})
	theirs.close()
	if err != nil {
		ours.close()
		return nil, err
	}
	go func() {
		defer close(m.silent)
		defer ours.stdout.Close()
		// A line that is none ends the talk, not the process: whoever waits sees that it says no more.
		_ = readLines(ours.stdout, m.take)
	}()
	defer func() {
		if err != nil {
			err = errors.Join(err, m.close())
		}
	}()
	first, err := m.next(ctx)
	if err != nil {
		return nil, err
	}
	if !first.Ready {
		return nil, errors.New(first.Error)
	}
	m.agent, err = h.Dial(ctx, "unix", args.agent)
	return m, err
}

// ends are a process's standard input and output.
type ends struct{ stdin, stdout *os.File }

func (e ends) close() {
	_ = e.stdin.Close() // pipes
	_ = e.stdout.Close()
}

// pipes are files, so that no goroutine is left that copies.
func (m *member) pipes() (ours, theirs ends, err error) {
	inR, inW, err := os.Pipe()
	if err != nil {
		return ours, theirs, err
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		return ours, theirs, errors.Join(err, inR.Close(), inW.Close())
	}
	m.stdin = inW
	return ends{inW, outR}, ends{inR, outW}, nil
}

// said keeps what a process writes to its standard error.
type said member

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.said.Len() < 4096 {
		s.said.Write(p)
	}
	return len(p), nil
}

func (m *member) take(r report) {
	switch {
	case r.Connected:
		offer(m.connected, struct{}{})
	case r.ID == 0:
		offer(m.news, r)
	default:
		m.mu.Lock()
		defer m.mu.Unlock()
		if reply, ok := m.waiting[r.ID]; ok {
			delete(m.waiting, r.ID)
			reply <- r // it has room for one
		}
	}
}

// offer does not wait for one who listens: there are a handful of news in a life.
func offer[T any](c chan<- T, v T) {
	select {
	case c <- v:
	default:
	}
}

// ask gives an order and waits for its answer.
func (m *member) ask(ctx context.Context, o order) (report, error) {
	m.mu.Lock()
	m.nextID++
	o.ID = m.nextID
	reply := make(chan report, 1)
	m.waiting[o.ID] = reply
	line, err := json.Marshal(o)
	if err == nil {
		_, err = m.stdin.Write(append(line, '\n')) // a few bytes, which the pipe takes
	}
	m.mu.Unlock()
	if err != nil {
		return report{}, fmt.Errorf("order %s to %s: %w", o.Op, m.host.Name(), err)
	}
	r, err := m.await(ctx, reply)
	if err == nil && r.Error != "" {
		err = errors.New(r.Error)
	}
	return r, err
}

// next waits for news.
func (m *member) next(ctx context.Context) (report, error) { return m.await(ctx, m.news) }

func (m *member) await(ctx context.Context, c <-chan report) (report, error) {
	select {
	case r := <-c:
		return r, nil
	case <-ctx.Done():
		return report{}, context.Cause(ctx)
	case <-m.silent:
	}
	select {
	case r := <-c: // its last words
		return r, nil
	default:
		return report{}, m.death()
	}
}

// death says why a process says no more.
func (m *member) death() error {
	err := errors.New("it says no more")
	select {
	case <-m.proc.Done():
		err = cmp.Or(m.proc.Err(), errors.New("exit status 0"))
	case <-time.After(time.Second):
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if words := strings.TrimSpace(m.said.String()); words != "" {
		err = fmt.Errorf("%w: %s", err, words)
	}
	return fmt.Errorf("the guest's process on %s ended: %w", m.host.Name(), err)
}

// quit lets the process end by itself, having said everything, and kills it if it does not.
func (m *member) quit(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if _, err := m.ask(ctx, order{Op: opQuit}); err == nil {
		select {
		case <-m.proc.Done():
		case <-ctx.Done():
		}
	}
	return m.close()
}

// close kills the process, waits until it is gone, and closes its pipes. It may be called again.
func (m *member) close() error {
	err := m.proc.Kill()
	_ = m.stdin.Close() // perhaps for the second time
	return err
}

// socketPath is where a guest's agent listens. It is checked here, as the kernel's word for too long a path
// is "invalid argument".
func socketPath(dir string, n int) (string, error) {
	path := filepath.Join(dir, fmt.Sprintf("agent%d", n))
	const longest = 107 // unix(7), sun_path without its final zero
	if len(path) > longest {
		return "", fmt.Errorf("socket path %s has %d bytes, %d fit: take a shorter folder", path, len(path), longest)
	}
	return path, nil
}
