package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// ErrClosed is returned by a Client that was closed.
var ErrClosed = errors.New("agent client is closed")

// ErrDisconnected is returned when the last connection to the agent has ended.
var ErrDisconnected = errors.New("no connection to the agent is left")

// A Client talks to one agent, over one connection or several: a guest that migrates has one at the source
// and one at the destination. All methods are safe for concurrent use.
type Client struct {
	report func(m Message, arrival time.Time, from string)

	feeding sync.Mutex // orders the assembler and the calls of report
	lines   assembler

	writing sync.Mutex // one request on the wire at a time

	mu       sync.Mutex             // guards what follows; never held while calling out
	conns    map[string]*connection // the latest of each name
	open     map[*connection]bool
	using    string
	attached bool // ever
	nextID   int64
	waiting  map[int64]chan Message
	up       bool // greeted is closed
	lastLog  string
	garbage  int64
	closed   bool
	jobs     map[int]chan JobDone // that were asked for and are not done

	firstID int64 // the IDs of this client's requests are above it

	greeted chan struct{} // closed at the first hello or heartbeat
	done    chan struct{} // closed by Close
	lost    chan struct{} // closed while no connection is left
	readers sync.WaitGroup
}

// A connection is one that is being read.
type connection struct {
	io.ReadWriteCloser
	from string
}

// NewClient returns a Client without a connection. Each message of the agent, replies too, is given to
// report (nil: to nobody) with the time at which its last byte was read and the name of the connection:
// one at a time, and those of one connection in order. A line that is no message is reported as a Log, and so is the reply to a
// request of another client, which a guest that was saved may still have to give.
// Report must not block, nor call the client.
func NewClient(report func(m Message, arrival time.Time, from string)) *Client {
	if report == nil {
		report = func(Message, time.Time, string) {}
	}
	c := &Client{
		report: report, conns: map[string]*connection{}, open: map[*connection]bool{}, waiting: map[int64]chan Message{}, jobs: map[int]chan JobDone{},
		greeted: make(chan struct{}), done: make(chan struct{}), lost: make(chan struct{}),
	}
	// A guest that was saved may still answer somebody who asked before: no two clients' requests have one ID.
	c.firstID = rand.Int64N(1<<31) << 20
	c.nextID = c.firstID
	c.lines.message, c.lines.garbage, c.lines.cut = c.take, c.refuse, c.leaveOut
	return c
}

// Attach starts to read conn at once and closes it when it ends or with the client. From names it: the host
// whose clock stamps the arrival. The first connection is the one in use. A second one of the same name
// takes its place for requests; both are read.
func (c *Client) Attach(from string, conn io.ReadWriteCloser) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		_ = conn.Close()
		return
	}
	if len(c.open) == 0 {
		c.using = from
		if c.attached {
			c.lost = make(chan struct{})
		}
	}
	opened := &connection{conn, from}
	c.conns[from], c.open[opened], c.attached = opened, true, true
	c.readers.Add(1)
	c.mu.Unlock()
	go c.read(opened)
}

// Use says on which connection requests are sent.
func (c *Client) Use(from string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.using = from
}

// Garbage is the number of lines so far that were no message.
func (c *Client) Garbage() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.garbage
}

// Close closes all connections and ends every call that waits. Report is not called any more once it has
// returned. It is idempotent.
func (c *Client) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		c.readers.Wait()
		return nil
	}
	c.closed = true
	close(c.done)
	var errs []error
	for conn := range c.open {
		// Whoever ended the guest may have closed it, and its reader not have seen that yet.
		if err := conn.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	c.mu.Unlock()
	c.readers.Wait()
	c.feeding.Lock()
	defer c.feeding.Unlock()
	c.lines.flush(time.Now())
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, waits := range c.jobs {
		delete(c.jobs, id)
		close(waits)
	}
	return errors.Join(errs...)
}

func (c *Client) read(conn *connection) {
	defer c.readers.Done()
	c.feeding.Lock()
	s := c.lines.open(conn.from)
	c.feeding.Unlock()
	buf := make([]byte, 64<<10)
	for {
		n, err := conn.Read(buf)
		arrival := time.Now()
		c.feeding.Lock()
		c.lines.feed(s, buf[:n], arrival)
		if err != nil {
			c.lines.end(s, arrival)
		}
		c.feeding.Unlock()
		if err != nil {
			break
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		_ = conn.Close() // its error says nothing that the end of reading did not
	}
	delete(c.open, conn)
	if c.conns[conn.from] == conn {
		delete(c.conns, conn.from)
	}
	if len(c.open) == 0 {
		close(c.lost)
	}
}

// take handles a message; the assembler calls it in order.
func (c *Client) take(m *Message, arrival time.Time, from string) {
	if m.ID > 0 && !c.isOurs(m.ID) {
		*m = Message{Mono: m.Mono, Log: "ignored the reply to a request of an earlier client"}
	}
	c.report(*m, arrival, from)
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.Log != "" {
		c.lastLog = m.Log
	}
	if (m.Hello != nil || m.Heartbeat != nil) && !c.up {
		c.up = true
		close(c.greeted)
	}
	if done := m.JobDone; done != nil {
		if waits, ok := c.jobs[done.ID]; ok {
			delete(c.jobs, done.ID)
			waits <- *done // it has room for one
		}
	}
	if reply, ok := c.waiting[m.ID]; ok && m.ID > 0 {
		delete(c.waiting, m.ID)
		reply <- *m // it has room for one
	}
}

func (c *Client) isOurs(id int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return id > c.firstID && id <= c.nextID
}

// refuse handles a line that is no message.
func (c *Client) refuse(line []byte, arrival time.Time, from string) {
	c.mu.Lock()
	c.garbage++
	c.mu.Unlock()
	const shown = 80
	text := fmt.Sprintf("ignored a line of %d B that is no message: %q", len(line), line[:min(len(line), shown)])
	c.report(Message{Log: text}, arrival, from)
}

// leaveOut handles the end of a line that began before anybody listened: a message is lost, but nothing is wrong.
func (c *Client) leaveOut(line []byte, arrival time.Time, from string) {
	c.report(Message{Log: fmt.Sprintf("left out the end, %d B, of a message that began before the connection", len(line))}, arrival, from)
}

// Do sends a request and returns its reply. The client assigns the ID. It ends early when ctx is done, when
// the client is closed and when no connection is left. An error that the agent replied is returned as one.
func (c *Client) Do(ctx context.Context, r Request) (Message, error) {
	m, err := c.ask(ctx, r)
	if err != nil {
		return m, fmt.Errorf("ask agent to %s: %w", r.Op, err)
	}
	return m, nil
}

func (c *Client) ask(ctx context.Context, r Request) (Message, error) {
	c.mu.Lock()
	conn, using, closed, lost := c.conns[c.using], c.using, c.closed, c.lost
	if closed {
		c.mu.Unlock()
		return Message{}, ErrClosed
	}
	if conn == nil {
		c.mu.Unlock()
		return Message{}, fmt.Errorf("use connection %q: %w", using, ErrDisconnected)
	}
	c.nextID++
	r.ID = c.nextID
	reply := make(chan Message, 1)
	c.waiting[r.ID] = reply
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.waiting, r.ID)
	}()

	line, err := json.Marshal(r)
	if err != nil {
		return Message{}, fmt.Errorf("encode: %w", err)
	}
	// A connection that takes no data blocks the goroutine, not the caller; closing it ends both.
	wrote := make(chan error, 1)
	go func() {
		c.writing.Lock()
		defer c.writing.Unlock()
		_, err := conn.Write(append(line, '\n'))
		wrote <- err
	}()
	for {
		select {
		case err := <-wrote:
			if err != nil {
				return Message{}, fmt.Errorf("write to connection %q: %w", using, err)
			}
			wrote = nil
		case m := <-reply:
			if m.Error != "" {
				return m, errors.New(m.Error)
			}
			return m, nil
		case <-ctx.Done():
			return Message{}, context.Cause(ctx)
		case <-c.done:
			return Message{}, ErrClosed
		case <-lost:
			return Message{}, ErrDisconnected
		}
	}
}
