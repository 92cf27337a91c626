package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"time"
	"virtscope/testbed/host"

	"golang.org/x/sys/unix"
)

const (
	glance     = 20 * time.Millisecond  // how often a wait looks whether it should end
	retryAfter = 100 * time.Millisecond // how long after a failed attempt the next follows
	batch      = 1024                   // requests that are taken at once, before answers are looked for
)

// A plan says when requests are due.
type plan interface {
	// next is when the next one is due, in ns since the engine began; ok is false if none is, for now, with so many
	// unanswered.
	next(unanswered int) (due int64, ok bool)
	// take is that one.
	take() request
}

// An observer is told what happens. All times are ns since the engine began.
type observer interface {
	asked(r request, at int64) // it was due, and taken at
	answered(r request, a answer, right bool, at int64)
	failed(r request)                   // its connection broke, or too many wait
	received(n int, at int64)           // B
	reconnected(cause string, at int64) // a connection that had broken is open again
	tick(now int64)                     // called often
}

// An engine is one thread that sends what is due over all connections and takes the answers.
type engine struct {
	begin  time.Time
	in     host.Doer
	target netip.AddrPort
	codec  codec
	limit  int // unanswered requests

	plan plan
	obs  observer

	conns      []*conn
	turn       int
	unanswered int
	fds        []unix.PollFd
	buffer     []byte
	refused    string // why a connection could not be made, or broke, last
}

func newEngine(c Config, codec codec) *engine {
	e := &engine{begin: time.Now(), in: c.In, target: c.Target, codec: codec, limit: c.Queue, buffer: make([]byte, 256<<10)}
	for range c.Connections {
		e.conns = append(e.conns, &conn{})
	}
	e.fds = make([]unix.PollFd, len(e.conns))
	return e
}

// now is ns since the engine began, by the monotonic clock.
func (e *engine) now() int64 { return int64(time.Since(e.begin)) }

// wall is the wall clock's time (ns since the Unix epoch) at a time of the engine. The two clocks are slewed together
// (clock_gettime(2)).
func (e *engine) wall(at int64) int64 { return e.begin.UnixNano() + at }

// run goes on with a plan until the end, which it asks each time that it has looked at everything, or until ctx is done:
// then it is ctx's error.
func (e *engine) run(ctx context.Context, p plan, o observer, end func() bool) error {
	e.plan, e.obs = p, o
	for {
		now := e.now()
		if err := e.connect(now); err != nil {
			return err
		}
		e.take(now)
		if err := e.flush(); err != nil {
			return err
		}
		e.obs.tick(e.now())
		if end() {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := e.wait(); err != nil {
			return err
		}
		if err := e.receive(); err != nil {
			return err
		}
	}
}

// connect begins with the connections that are to be made now.
func (e *engine) connect(now int64) error {
	for _, c := range e.conns {
		if c.state != down || c.retry > now {
			continue
		}
		if err := c.open(e.in, e.target); err != nil {
			if err := e.lose(c, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// take takes what is due.
func (e *engine) take(now int64) {
	for range batch {
		due, ok := e.plan.next(e.unanswered)
		if !ok || due > now {
			return
		}
		r := e.plan.take()
		e.obs.asked(r, now)
		if e.unanswered >= e.limit {
			e.obs.failed(r)
			continue
		}
		e.unanswered++
		e.pick().queue.push(r)
	}
}

// pick is the next connection in turn, of those that are open; of all if none is.
func (e *engine) pick() *conn {
	for range e.conns {
		e.turn = (e.turn + 1) % len(e.conns)
		if e.conns[e.turn].state == up {
			return e.conns[e.turn]
		}
	}
	e.turn = (e.turn + 1) % len(e.conns)
	return e.conns[e.turn]
}

func (e *engine) flush() error {
	for _, c := range e.conns {
		if c.state != up || c.full || !c.waits() {
			continue
		}
		if err := c.flush(e.codec); err != nil {
			if err := e.lose(c, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// lose gives a connection up: what it had to answer has failed.
func (e *engine) lose(c *conn, cause error) error {
	c.retry = e.now()
	if c.state != up || c.retry-c.since < int64(retryAfter) {
		c.retry += int64(retryAfter)
	}
	e.refused = cause.Error()
	if c.state == up {
		c.cause = e.refused
	}
	for _, r := range c.queue.waiting() {
		e.unanswered--
		e.obs.failed(r)
	}
	return c.drop()
}

// wait sleeps until something comes or is due.
func (e *engine) wait() error {
	for i, c := range e.conns {
		e.fds[i] = unix.PollFd{Fd: -1}
		if c.state != down {
			e.fds[i] = unix.PollFd{Fd: int32(c.fd), Events: c.events()}
		}
	}
	long := int64(glance)
	if due, ok := e.plan.next(e.unanswered); ok {
		long = max(0, min(long, due-e.now()))
	}
	limit := unix.NsecToTimespec(long)
	if _, err := unix.Ppoll(e.fds, &limit, nil); err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("wait for answers: %w", os.NewSyscallError("ppoll", err))
	}
	return nil
}

// receive takes what came, and whatever else became of connections.
func (e *engine) receive() error {
	for i, c := range e.conns {
		ready := e.fds[i].Revents
		if ready == 0 {
			continue
		}
		var err error
		if c.state == connecting {
			err = e.established(c)
		} else {
			c.full = c.full && ready&unix.POLLOUT == 0
			if ready&^unix.POLLOUT != 0 {
				err = e.read(c)
			}
		}
		if err != nil {
			if err := e.lose(c, err); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *engine) established(c *conn) error {
	if err := c.established(e.codec); err != nil {
		return err
	}
	c.since = e.now()
	if c.cause != "" {
		e.obs.reconnected(c.cause, c.since)
	}
	return nil
}

// read takes once what the socket has; what is left is there the next time.
func (e *engine) read(c *conn) error {
	n, err := unix.Read(c.fd, e.buffer)
	at := e.now()
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return nil
	case err != nil:
		return os.NewSyscallError("read", err)
	case n == 0:
		return fmt.Errorf("the guest closed the connection: %w", io.EOF)
	}
	e.obs.received(n, at)
	for b := e.buffer[:n]; len(b) > 0; {
		used, a, done, err := c.decoder.next(b)
		if err != nil {
			return err
		}
		b = b[used:]
		if !done {
			continue
		}
		if c.encoded == 0 {
			return errors.New("the guest answered what nobody asked")
		}
		r := c.queue.pop()
		c.encoded--
		e.unanswered--
		e.obs.answered(r, a, e.codec.right(r, a), at)
	}
	return nil
}

// close closes all connections and returns what was unanswered.
func (e *engine) close() (left []request, err error) {
	for _, c := range e.conns {
		left = append(left, c.queue.waiting()...)
		err = errors.Join(err, c.drop())
	}
	return left, err
}

// open reports whether all connections are.
func (e *engine) open() bool {
	for _, c := range e.conns {
		if c.state != up {
			return false
		}
	}
	return true
}
