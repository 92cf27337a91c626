// Package ready waits, at the client, for guests' first answers: by echo, an ssh server's greeting, a TCP port or a page.
package ready

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"virtscope/probes"
	"virtscope/results"
	"virtscope/testbed/host"
)

// The ways in which a guest can answer.
const (
	Echo = "echo" // a datagram to UDP port 7 comes back
	SSH  = "ssh"  // a server at TCP port 22 greets with its version (RFC 4253, section 4.2)
	Port = "port" // a TCP connection is accepted
	HTTP = "http" // GET is answered with a status below 400
)

// Config says where a Waiter stands.
type Config struct {
	Host string    // the client; its clock stamps the records
	In   host.Doer // the client's network
	// Interval between attempts by echo, 0 is 10 ms, and Connects between those that connect, 0 is 100 ms. Both grow with the
	// number of guests that are waited for, so that all of them cost no more than a fixed rate: 1,000 datagrams and 200
	// connections a second.
	Interval, Connects time.Duration
}

// Target is whom to wait for, and how.
type Target struct {
	Method string // one of the constants above
	Addr   netip.Addr
	Port   uint16 // 0 is the method's own: 7, 22 or 80
	Path   string // of HTTP; "" is /
}

// A Waiter waits for any number of guests at the same time. It is safe for concurrent use. The caller closes it.
type Waiter struct {
	conf  Config
	meter *probes.Meter

	echoes  *echoes
	sockets *sockets
	streams atomic.Int64 // guests that are waited for by connecting

	mu     sync.Mutex // guards the start of what runs
	closed bool
}

// New makes a Waiter. It starts nothing before the first Await.
func New(c Config) *Waiter {
	if c.Interval == 0 {
		c.Interval = 10 * time.Millisecond
	}
	if c.Connects == 0 {
		c.Connects = 100 * time.Millisecond
	}
	w := &Waiter{conf: c, meter: probes.NewMeter(c.Host, results.SourceReady)}
	w.echoes = newEchoes(c, w.meter)
	w.sockets = newSockets(c, w.meter)
	return w
}

var errClosed = errors.New("the waiter was closed")

// Await returns when the target has answered for the first time, and records BootAnswer: at the time of the answer's arrival
// (echo: the kernel's stamp; else when this program had it), with method, attempts (how many were made up to then), rtt,
// from the attempt that was answered, and bound. It returns the cause when ctx is done first.
//
// The bound is by how much earlier a client that asks without a pause might have had an answer: at most the time since the
// last attempt before the answered one, or, without one, since the first attempt was made. An attempt that comes back after
// long may have been at the guest's door all the time, in the host's queue to it: then nobody would have been answered
// earlier, and all that is not known is the way back, and the pause before that attempt. So another attempt is made, and the
// bound is no longer than that one takes and an interval. That does not change the answer's time; it delays Await by as
// much, a second at most.
func (w *Waiter) Await(ctx context.Context, t Target, rec results.Recorder) error {
	t.fill()
	var a answer
	err := t.check()
	if err == nil {
		err = w.open(t.Method)
	}
	if err == nil {
		if t.Method == Echo {
			a, err = w.echoes.await(ctx, t)
		} else {
			a, err = w.await(ctx, t)
		}
	}
	if err != nil {
		return fmt.Errorf("wait for %s of %s: %w", t.Method, netip.AddrPortFrom(t.Addr, t.Port), err)
	}
	rec.Record(results.Record{
		Time: a.at, Host: w.conf.Host, Source: results.SourceReady, Name: results.BootAnswer,
		Attrs: map[string]string{
			"method": t.Method, "rtt": inSeconds(a.rtt()), "bound": inSeconds(a.bound()), "attempts": strconv.Itoa(a.attempts),
		},
	})
	return nil
}

// open starts what a method needs.
func (w *Waiter) open(method string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return errClosed
	}
	if method == Echo {
		return w.echoes.open()
	}
	w.sockets.open()
	return nil
}

// Close ends every wait and records what the waiter cost. The CPU is that of the threads that send and receive echoes and make
// sockets; what connections cost otherwise is not in it. It is idempotent, but for the records: those come once.
func (w *Waiter) Close(rec results.Recorder) error {
	w.mu.Lock()
	closed := w.closed
	w.closed = true
	w.mu.Unlock()
	if closed {
		return nil
	}
	err := errors.Join(w.echoes.close(), w.sockets.close())
	w.meter.Record(rec)
	if err != nil {
		return fmt.Errorf("wait for guests: %w", err)
	}
	return nil
}

func (t *Target) fill() {
	own := map[string]uint16{Echo: 7, SSH: 22, Port: 80, HTTP: 80}
	if t.Port == 0 {
		t.Port = own[t.Method]
	}
	if t.Path == "" {
		t.Path = "/"
	}
}

func (t *Target) check() error {
	switch t.Method {
	case Echo, SSH, Port, HTTP:
	default:
		return fmt.Errorf("method %q: want %s, %s, %s or %s", t.Method, Echo, SSH, Port, HTTP)
	}
	if !t.Addr.Is4() {
		return fmt.Errorf("address %s: want an IPv4 address", t.Addr)
	}
	return nil
}

func inSeconds(ns int64) string {
	return strconv.FormatFloat(time.Duration(ns).Seconds(), 'f', -1, 64)
}
