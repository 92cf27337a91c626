package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
	"virtscope/testbed/guest/agent"
)

const (
	streamDatagram = 1200 // B of payload
	streamLife     = int64(2 * time.Second)
	maxStreams     = 64
	maxStreamRate  = 10e9 / 8 // B/s

	// What is overdue after a stall is sent in bursts, so that it does not fill a queue at once.
	streamBurst = 16
	streamPause = int64(time.Millisecond)
)

// streams sends a constant bit rate to each address that asks for one.
type streams struct {
	conn  *net.UDPConn
	meter *meter
	begin func() // runs first in each of its threads

	mu     sync.Mutex
	known  map[netip.AddrPort]*stream
	closed bool
	sent   sync.WaitGroup
}

// A stream is one receiver's. Its numbers go on when it is asked for again.
type stream struct {
	to     netip.AddrPort
	number uint64  // of the next datagram
	rate   float64 // B/s
	start  int64   // ns, monotonic: when the first datagram at this rate was due
	count  int64   // datagrams at this rate
	until  int64   // it ends then
	active bool
}

// due is when the next datagram is.
func (s *stream) due() int64 {
	return s.start + int64(float64(s.count)*streamDatagram/s.rate*1e9)
}

func listenStreams(port int, m *meter, begin func()) (*streams, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{Port: port})
	if err != nil {
		return nil, fmt.Errorf("serve UDP port %d: %w", port, err)
	}
	return &streams{conn: conn, meter: m, begin: begin, known: map[netip.AddrPort]*stream{}}, nil
}

// run serves until close. It returns nil after a close.
func (s *streams) run() error {
	defer s.sent.Wait()
	var buf [64]byte
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(buf[:])
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			continue // an ICMP error for what was sent to another
		}
		if rate, ok := parseStreamRate(string(buf[:n])); ok {
			s.ask(from, rate, mono())
		}
	}
}

// parseStreamRate parses what a client sends: a number of B/s, with or without that unit.
func parseStreamRate(text string) (float64, bool) {
	text = strings.TrimSuffix(strings.TrimSpace(text), "B/s")
	rate, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return rate, err == nil && rate >= 1 && rate <= maxStreamRate
}

// ask starts or renews a stream.
func (s *streams) ask(to netip.AddrPort, rate float64, now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.known[to]
	if s.closed || t == nil && len(s.known) >= maxStreams {
		return
	}
	if t == nil {
		t = &stream{to: to}
		s.known[to] = t
	}
	t.until = now + streamLife
	if !t.active || t.rate != rate {
		t.rate, t.start, t.count = rate, now, 0
	}
	if t.active {
		return
	}
	t.active = true
	s.sent.Go(func() {
		s.begin()
		s.send(t)
	})
}

// send sends a stream's datagrams until it ends.
func (s *streams) send(t *stream) {
	var datagram [streamDatagram]byte
	agent.FillValue(datagram[:], uint64(t.to.Port()), 0)
	row := 0 // datagrams that were overdue
	for {
		wake, now := s.next(t, datagram[:]), mono()
		switch {
		case wake == 0:
			return
		case wake > now:
			row = 0
			sleepUntil(wake)
			continue
		}
		n, err := s.conn.WriteToUDPAddrPort(datagram[:], t.to)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		s.meter.written.Add(int64(n)) // what the kernel cannot take is lost, as the network may lose it
		if row++; row == streamBurst {
			row = 0
			sleepUntil(now + streamPause)
		}
	}
}

// next returns when to wake, 0 for never. If that is not in the future, the datagram's header is the next one's, which
// is counted as sent.
func (s *streams) next(t *stream, datagram []byte) (wake int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, due := mono(), t.due()
	if s.closed || now >= t.until {
		t.active = false
		return 0
	}
	if due > now {
		return min(due, t.until)
	}
	binary.BigEndian.PutUint64(datagram, t.number)
	binary.BigEndian.PutUint64(datagram[8:agent.StreamHeader], uint64(due))
	t.number++
	t.count++
	return due
}

// close ends the port and its streams, and is idempotent.
func (s *streams) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	_ = s.conn.Close()
}
