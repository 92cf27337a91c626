package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
)

// Local is this machine, in the network that the program was started in. It is a Doer.
type Local struct {
	name  string
	enter func() error // brings the calling thread into the host's network

	mu     sync.RWMutex // held for reading while the worker or the namespace's handle is used
	closed bool
	worker *worker
	procs  processes
}

// NewLocal returns this machine under a name of the experiment. The caller closes it.
func NewLocal(name string) (*Local, error) {
	l := &Local{name: name, enter: func() error { return nil }}
	return l, l.open()
}

func (l *Local) open() error {
	w, err := newWorker(l.enter)
	if err != nil {
		return fmt.Errorf("open host %s: %w", l.name, err)
	}
	l.worker = w
	return nil
}

// Name is the host's name in the experiment.
func (l *Local) Name() string { return l.name }

// Start starts a process, see Host. The process leads a process group of its own, so Ctrl-C at the terminal
// does not reach it. When it ends, what it left in its group is killed. A Stdin that is no *os.File must
// end by itself, or a goroutine that reads it stays behind.
func (l *Local) Start(ctx context.Context, c Cmd) (Process, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("start %s on %s: %w", c.Path, l.name, err)
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return nil, fmt.Errorf("start %s on %s: %w", c.Path, l.name, errClosed)
	}
	var p *process
	err := l.worker.run(func() (err error) {
		p, err = start(ctx, c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("start %s on %s: %w", c.Path, l.name, err)
	}
	l.procs.add(p)
	return p, nil
}

// Do runs f on a thread of its own inside the host's network and returns its error. It waits for f, but
// others can Do and Start meanwhile. The thread ends with f: f must not start processes.
func (l *Local) Do(f func() error) error {
	done := make(chan error, 1)
	onThread(func() {
		if err := l.enterOpen(); err != nil {
			done <- err
			return
		}
		err := errors.New("function exited its goroutine")
		defer func() { done <- err }()
		err = f()
	})
	return <-done
}

// enterOpen enters the network unless the host was closed.
func (l *Local) enterOpen() error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return fmt.Errorf("enter %s: %w", l.name, errClosed)
	}
	return l.enter()
}

// Dial connects from within the host's network. The address is an IP literal (or a path, for "unix"): the
// resolver would ask from outside the namespace.
func (l *Local) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if err := checkLiteral(network, addr); err != nil {
		return nil, fmt.Errorf("dial from %s: %w", l.name, err)
	}
	var conn net.Conn
	err := l.Do(func() (err error) {
		conn, err = (&net.Dialer{}).DialContext(ctx, network, addr)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("dial from %s: %w", l.name, err)
	}
	return conn, nil
}

func checkLiteral(network, addr string) error {
	if strings.HasPrefix(network, "unix") {
		return nil
	}
	if _, err := netip.ParseAddrPort(addr); err != nil {
		return fmt.Errorf("%s %s: want an IP address and a port: %w", network, addr, err)
	}
	return nil
}

// Close kills every process that was started here, with its process group, waits until they were reaped, and
// ends the host's thread. It is idempotent.
func (l *Local) Close() error { return l.close(func() error { return nil }) }

func (l *Local) close(release func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	err := l.procs.killAll()
	l.worker.stop()
	if err := errors.Join(err, release()); err != nil {
		return fmt.Errorf("close host %s: %w", l.name, err)
	}
	return nil
}
