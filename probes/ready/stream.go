package ready

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

const (
	// apartConnects is the least time between two attempts to connect, to any guests.
	apartConnects = 5 * time.Millisecond
	// connectLimit ends an attempt before the kernel asks a second time, after 1 s (RFC 6298, section 2): attempts are ours.
	connectLimit = 900 * time.Millisecond
	// mostConnecting is how many attempts at one guest are under way.
	mostConnecting = 10
	// answerLimit is how long a server that accepted a connection may take to answer.
	answerLimit = 10 * time.Second
	// greeting is how much is read of a server before it names its version.
	greeting = 8 << 10
)

// A step is what an attempt has come to.
type step struct {
	attempt   int
	connected int64 // ns since the Unix epoch; 0 if it was not
	answered  int64 // likewise
	over      bool
	err       error // why it came to nothing
}

// A caller makes attempts at one guest until one is answered. It belongs to one goroutine.
type caller struct {
	w      *Waiter
	target Target
	sent   []int64 // ns since the Unix epoch, of each attempt
	steps  chan step
	made   sync.WaitGroup

	connecting, accepted int // attempts
	last                 error
}

// await connects, again and again.
func (w *Waiter) await(ctx context.Context, t Target) (answer, error) {
	w.streams.Add(1)
	defer w.streams.Add(-1)
	attempts, cancel := context.WithCancel(ctx)
	c := &caller{w: w, target: t, steps: make(chan step, mostConnecting+1), last: errNone}
	defer c.drain(cancel)
	for {
		interval := spread(w.conf.Connects, apartConnects, int(w.streams.Load()))
		// A server that accepted is not asked again before it has answered: it may refuse those who ask often.
		if c.accepted == 0 && c.connecting < mostConnecting {
			c.attempt(attempts)
		}
		a, ok, err := c.wait(ctx, interval)
		if ok || err != nil {
			return a, err
		}
	}
}

// drain ends what is under way, and waits for it.
func (c *caller) drain(cancel context.CancelFunc) {
	cancel()
	go func() {
		c.made.Wait()
		close(c.steps)
	}()
	for range c.steps {
	}
}

func (c *caller) attempt(ctx context.Context) {
	n := len(c.sent)
	c.sent = append(c.sent, time.Now().UnixNano())
	c.connecting++
	c.made.Go(func() { c.w.attempt(ctx, c.target, n, c.steps) })
}

// wait takes steps for an interval.
func (c *caller) wait(ctx context.Context, interval time.Duration) (a answer, ok bool, err error) {
	next := time.NewTimer(interval)
	defer next.Stop()
	for {
		select {
		case s := <-c.steps:
			if s.err != nil {
				c.last = s.err
			}
			switch {
			case s.answered > 0:
				return c.answer(ctx, s, interval), true, nil
			case s.over && s.connected > 0:
				c.accepted--
			case s.over:
				c.connecting--
			default:
				c.connecting--
				c.accepted++
			}
		case <-next.C:
			return answer{}, false, nil
		case <-c.w.sockets.done:
			return answer{}, false, errClosed
		case <-ctx.Done():
			return answer{}, false, fmt.Errorf("no answer to %d attempts (the last: %w): %w", len(c.sent), c.last, context.Cause(ctx))
		}
	}
}

// answer makes one of the step that was answered. If the attempt was held before it was accepted, another connection says
// how long that takes now.
func (c *caller) answer(ctx context.Context, s step, interval time.Duration) answer {
	a := answer{
		at: s.answered, sent: c.sent[s.attempt], before: c.sent[max(0, s.attempt-1)], attempts: len(c.sent), interval: int64(interval),
	}
	if s.connected-a.sent <= 2*a.interval {
		return a
	}
	begin := time.Now()
	conn, err := c.w.sockets.dial(ctx, netip.AddrPortFrom(c.target.Addr, c.target.Port), lingering)
	if err != nil {
		return a
	}
	_ = conn.Close()
	a.fresh = int64(time.Since(begin)) + s.answered - s.connected
	return a
}

// attempt makes one attempt and says how far it is.
func (w *Waiter) attempt(ctx context.Context, t Target, n int, steps chan<- step) {
	s := step{attempt: n}
	defer func() {
		s.over = true
		steps <- s
	}()
	conn, err := w.sockets.dial(ctx, netip.AddrPortFrom(t.Addr, t.Port), connectLimit)
	if err != nil {
		s.err = err
		return
	}
	defer func() { _ = conn.Close() }()
	s.connected = time.Now().UnixNano()
	if t.Method == Port {
		s.answered = s.connected
		return
	}
	steps <- s
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if s.err = conn.SetDeadline(time.Now().Add(answerLimit)); s.err != nil {
		return
	}
	ask := greets
	if t.Method == HTTP {
		ask = func(conn net.Conn) error { return serves(ctx, conn, t) }
	}
	if s.err = ask(conn); s.err == nil {
		s.answered = time.Now().UnixNano()
	}
}

// errNone is the last attempt's error while none has failed.
var errNone = errors.New("under way")

// greets reads lines until one names an ssh server's version; others may come before (RFC 4253, section 4.2).
func greets(conn net.Conn) error {
	in := bufio.NewReader(io.LimitReader(conn, greeting))
	for {
		line, err := in.ReadString('\n')
		if strings.HasPrefix(line, "SSH-") {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// serves asks for the page.
func serves(ctx context.Context, conn net.Conn, t Target) error {
	transport := &http.Transport{
		DisableKeepAlives: true, DisableCompression: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil },
	}
	defer transport.CloseIdleConnections()
	url := "http://" + netip.AddrPortFrom(t.Addr, t.Port).String() + t.Path
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("the page is not there: status %d", response.StatusCode)
	}
	return nil
}
