package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"
	"virtscope/testbed/guest/agent"
)

// startNet runs a net workload on free ports until the test ends.
func startNet(t *testing.T, responseSize int64) (p netPorts, m *meter) {
	t.Helper()
	tcp := func() int {
		l, err := net.Listen("tcp4", ":0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return l.Addr().(*net.TCPAddr).Port
	}
	udp, err := net.ListenPacket("udp4", ":0")
	if err != nil {
		t.Fatal(err)
	}
	p = netPorts{tcp(), udp.LocalAddr().(*net.UDPAddr).Port, tcp()}
	udp.Close()
	out, err := newOutbox()
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(out, builtIn{}, func() *agent.Boot { return &agent.Boot{} })
	ready, err := s.prepareNet(&agent.Workload{Kind: kindNet, ResponseSize: responseSize}, p)
	if err != nil {
		t.Fatal(err)
	}
	j := startJob([]*part{ready})
	t.Cleanup(func() {
		if p, err := j.stop(); err != nil || p.Parts[0].Error != "" {
			t.Errorf("it ended with %+v, %v", p, err)
		}
	})
	return p, ready.meter
}

func dialTCP(t *testing.T, port int) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	return conn
}

func frame(size int) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(size)), make([]byte, size)...)
}

func TestRequestsAreAnswered(t *testing.T) {
	const size = 70_000
	ports, m := startNet(t, size)
	conn := dialTCP(t, ports.request)
	var asks []byte
	requests := []int{0, 1, 5000, 200_000, 7}
	for _, n := range requests {
		asks = append(asks, frame(n)...)
	}
	go func() {
		for at := 0; at < len(asks); at += 999 { // requests come in pieces, and several at once
			conn.Write(asks[at:min(at+999, len(asks))])
		}
	}()
	answers, first := make([]byte, 4+size), []byte(nil)
	for i := range requests {
		if _, err := io.ReadFull(conn, answers); err != nil {
			t.Fatalf("answer %d: %v", i, err)
		}
		if n := binary.BigEndian.Uint32(answers); n != size {
			t.Fatalf("answer %d has %d B, want %d", i, n, size)
		}
		if first == nil {
			first = bytes.Clone(answers)
		}
		if !bytes.Equal(first, answers) {
			t.Errorf("answer %d differs from the first", i)
		}
	}
	for m.ops.Load() < int64(len(requests)) { // counted once it is sent
		time.Sleep(time.Millisecond)
	}
	if n := m.ops.Load(); n != int64(len(requests)) {
		t.Errorf("%d requests were counted, want %d", n, len(requests))
	}
	if n := m.written.Load(); n != int64(len(requests)*(4+size)) {
		t.Errorf("%d B were counted, want %d", n, len(requests)*(4+size))
	}
	// What is no request ends its connection, and no other.
	bad := dialTCP(t, ports.request)
	bad.Write([]byte{0xff, 0xff, 0xff, 0xff, 1})
	if n, err := bad.Read(answers); err == nil {
		t.Errorf("a request of 4 GiB was answered with %d B", n)
	}
	conn.Write(frame(1))
	if _, err := io.ReadFull(conn, answers); err != nil {
		t.Error(err)
	}
}

func TestBulkSends(t *testing.T) {
	ports, m := startNet(t, 0)
	conn := dialTCP(t, ports.bulk)
	const want = 4 << 20
	if n, err := io.CopyN(io.Discard, conn, want); err != nil {
		t.Errorf("%d B came: %v", n, err)
	}
	if n := m.written.Load(); n < want-bulkChunk {
		t.Errorf("%d B were counted, want at least %d", n, want)
	}
}

// Datagrams come in order, each is due when the rate says, and the stream ends when nobody renews it.
func TestStreamKeepsItsRate(t *testing.T) {
	ports, m := startNet(t, 0)
	conn, err := net.Dial("udp4", fmt.Sprintf("127.0.0.1:%d", ports.stream))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const rate = 600_000 // 500 datagrams a second
	begin := mono()
	io.WriteString(conn, "nonsense")
	fmt.Fprintf(conn, "%d B/s", int(rate))
	var (
		buf         [2000]byte
		n           uint64
		first, last int64
	)
	for {
		conn.SetReadDeadline(time.Now().Add(3 * time.Second))
		size, err := conn.Read(buf[:])
		if err != nil {
			break
		}
		number, due := binary.BigEndian.Uint64(buf[:]), int64(binary.BigEndian.Uint64(buf[8:]))
		if size != streamDatagram || number != n {
			t.Fatalf("datagram %d has number %d and %d B", n, number, size)
		}
		if n == 0 {
			first = due
		}
		if now := mono(); due > now {
			t.Errorf("datagram %d came %d ns before it was due", n, due-now)
		}
		if want := first + int64(n)*2*ms; due != want {
			t.Errorf("datagram %d was due at %d, want %d", n, due, want)
		}
		last = due
		n++
	}
	if n < 990 || n > 1001 {
		t.Errorf("%d datagrams came in the 2 s of a stream, want 1000", n)
	}
	if first < begin || last > first+streamLife {
		t.Errorf("the stream was due from %d to %d, asked for at %d", first, last, begin)
	}
	if got := m.written.Load(); got != int64(n)*streamDatagram {
		t.Errorf("%d B were counted, %d datagrams came", got, n)
	}
	// Asked for again, the numbers go on.
	fmt.Fprintf(conn, "%d", int(rate))
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := conn.Read(buf[:]); err != nil || binary.BigEndian.Uint64(buf[:]) != n {
		t.Errorf("the next datagram is %d, %v, want %d", binary.BigEndian.Uint64(buf[:]), err, n)
	}
}

func TestStreamRenews(t *testing.T) {
	s := &streams{known: map[netip.AddrPort]*stream{}, begin: func() {}, closed: true}
	to := netip.MustParseAddrPort("192.0.2.1:9")
	s.ask(to, 1200, 5)
	if len(s.known) != 0 {
		t.Error("a stream began after the close")
	}
	// A renewal moves the end alone; another rate begins to count anew, with the numbers going on.
	old := &stream{to: to, number: 7, rate: 1200, start: 100, count: 7, until: 500, active: true}
	s.closed, s.known[to] = false, old
	s.ask(to, 1200, 900)
	if old.due() != 100+7e9 || old.until != 900+streamLife {
		t.Errorf("after a renewal it is %+v", *old)
	}
	s.ask(to, 2400, 1000)
	if old.due() != 1000 || old.number != 7 {
		t.Errorf("after another rate it is %+v", *old)
	}
	for i := range 2 * maxStreams {
		s.known[netip.AddrPortFrom(to.Addr(), uint16(i+10))] = &stream{active: true}
	}
	s.ask(netip.MustParseAddrPort("192.0.2.2:9"), 1200, 5)
	if s.known[netip.MustParseAddrPort("192.0.2.2:9")] != nil {
		t.Error("there are too many streams")
	}
}

func FuzzStreamRate(f *testing.F) {
	for _, text := range []string{"500000 B/s", "1e6", "NaN", "-1 B/s", "", "B/s", "1 MB/s", "1e300"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if rate, ok := parseStreamRate(text); ok && !(rate >= 1 && rate <= maxStreamRate) {
			t.Errorf("%q is %v", text, rate)
		}
	})
}
