package ready

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"sync"
	"time"
	"virtscope/probes"

	"golang.org/x/sys/unix"
)

const (
	// apartEchoes is the least time between two datagrams.
	apartEchoes = time.Millisecond
	// lingering is how long another attempt is waited for, when the answered one was held.
	lingering = time.Second
	// glance is how often the receiver looks whether it should end.
	glance = 200 * time.Millisecond
)

// echoes asks all guests from one socket: one thread sends, another receives.
type echoes struct {
	conf   Config
	meter  *probes.Meter
	number uint64
	ends   sync.WaitGroup

	mu     sync.Mutex
	more   *sync.Cond // there is somebody to ask, or it is over
	fd     int        // -1 before open
	list   []*asked   // who is asked in turn
	err    error      // why it cannot go on
	closed bool
}

// An asked guest.
type asked struct {
	addr  netip.AddrPort
	sent  []int64 // of each attempt
	first *answer
	done  chan answer // has room for one
	some  chan struct{}
}

func newEchoes(c Config, m *probes.Meter) *echoes {
	e := &echoes{conf: c, meter: m, number: rand.Uint64(), fd: -1}
	e.more = sync.NewCond(&e.mu)
	return e
}

// open opens the socket and starts the threads, once.
func (e *echoes) open() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.fd >= 0 {
		return e.err
	}
	err := e.conf.In.Do(func() (err error) {
		e.fd, err = openEcho()
		return err
	})
	if err != nil {
		return err
	}
	e.ends.Go(e.send)
	e.ends.Go(e.receive)
	return nil
}

func (e *echoes) close() error {
	e.mu.Lock()
	e.closed = true
	e.more.Broadcast()
	e.fail(errClosed)
	fd := e.fd
	e.mu.Unlock()
	if fd < 0 {
		return nil
	}
	e.ends.Wait()
	return os.NewSyscallError("close", unix.Close(fd))
}

// fail ends every wait. The lock is held.
func (e *echoes) fail(err error) {
	if e.err == nil {
		e.err = err
	}
	for _, a := range e.list {
		close(a.done)
	}
	e.list = nil
}

func (e *echoes) await(ctx context.Context, t Target) (answer, error) {
	a := &asked{addr: netip.AddrPortFrom(t.Addr, t.Port), done: make(chan answer, 1), some: make(chan struct{})}
	if err := e.add(a); err != nil {
		return answer{}, err
	}
	defer e.remove(a)
	var late <-chan time.Time
	some := a.some
	for {
		select {
		case got, ok := <-a.done:
			if !ok {
				return answer{}, e.cause()
			}
			return got, nil
		case <-some:
			some, late = nil, time.After(lingering)
		case <-late:
			return *a.first, nil // it is not written any more
		case <-ctx.Done():
			return answer{}, fmt.Errorf("no answer to %d attempts: %w", e.attempts(a), context.Cause(ctx))
		}
	}
}

func (e *echoes) add(a *asked) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err != nil {
		return e.err
	}
	if e.find(a.addr) != nil {
		return errors.New("it is waited for already")
	}
	e.list = append(e.list, a)
	e.more.Signal()
	return nil
}

func (e *echoes) find(addr netip.AddrPort) *asked {
	for _, a := range e.list {
		if a.addr == addr {
			return a
		}
	}
	return nil
}

func (e *echoes) remove(a *asked) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.drop(a)
}

func (e *echoes) drop(a *asked) {
	for i, other := range e.list {
		if other == a {
			e.list = append(e.list[:i:i], e.list[i+1:]...)
			return
		}
	}
}

func (e *echoes) cause() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

func (e *echoes) attempts(a *asked) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(a.sent)
}

// interval is the time between two attempts at one guest. The lock is held.
func (e *echoes) interval() time.Duration { return spread(e.conf.Interval, apartEchoes, len(e.list)) }

// send asks one guest after the other, evenly spread over the interval.
func (e *echoes) send() {
	defer e.meter.Thread()()
	b := make([]byte, datagram)
	due := time.Now()
	for i := 0; ; i++ {
		pause, ok := e.ask(b, i)
		if !ok {
			return
		}
		due = due.Add(pause)
		if late := time.Since(due); late > e.conf.Interval {
			due = time.Now() // what was missed is left out, not sent in a burst
		}
		time.Sleep(time.Until(due))
	}
}

// ask makes an attempt at the guest whose turn it is, and says how long the pause is until the next one's. It waits until there is one.
func (e *echoes) ask(b []byte, turn int) (pause time.Duration, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for len(e.list) == 0 && !e.closed {
		e.more.Wait()
	}
	if e.closed {
		return 0, false
	}
	a := e.list[turn%len(e.list)]
	copy(b, magic)
	binary.BigEndian.PutUint64(b[8:], e.number)
	binary.BigEndian.PutUint64(b[16:], uint64(len(a.sent)))
	pause = e.interval() / time.Duration(len(e.list))
	at := time.Now().UnixNano()
	err := unix.Sendto(e.fd, b, unix.MSG_DONTWAIT, &unix.SockaddrInet4{Port: int(a.addr.Port()), Addr: a.addr.Addr().As4()})
	switch {
	case err == nil:
		a.sent = append(a.sent, at)
	case !isNetworks(err):
		e.fail(fmt.Errorf("send: %w", err))
	}
	return pause, true
}

// receive takes answers as they come.
func (e *echoes) receive() {
	defer e.meter.Thread()()
	in, oob := make([]byte, 256), make([]byte, 256)
	for {
		n, oobn, _, from, err := unix.Recvmsg(e.fd, in, oob, 0)
		e.mu.Lock()
		fatal := err != nil && !isNetworks(err)
		if fatal {
			e.fail(fmt.Errorf("receive: %w", err))
		}
		if e.closed || fatal {
			e.mu.Unlock()
			return
		}
		sender, v4 := from.(*unix.SockaddrInet4)
		if err == nil && v4 {
			e.take(in[:n], oob[:oobn], netip.AddrPortFrom(netip.AddrFrom4(sender.Addr), uint16(sender.Port)))
		}
		e.mu.Unlock()
	}
}

// take looks at a datagram. The lock is held.
func (e *echoes) take(b, oob []byte, from netip.AddrPort) {
	seq, ok := decode(b, e.number)
	a := e.find(from)
	at := arrival(oob)
	if !ok || a == nil || at == 0 || seq >= uint64(len(a.sent)) || at < a.sent[seq] {
		return
	}
	if a.first == nil {
		sent, before := a.sent[seq], a.sent[max(0, int(seq)-1)]
		a.first = &answer{at: at, sent: sent, before: before, attempts: len(a.sent), interval: int64(e.interval())}
		if !a.first.held() {
			a.finish(e, *a.first)
			return
		}
		close(a.some)
		return
	}
	if sent := a.sent[seq]; sent >= a.first.at {
		got := *a.first
		got.fresh = at - sent
		a.finish(e, got)
	}
}

func (a *asked) finish(e *echoes, got answer) {
	e.drop(a)
	a.done <- got
}
