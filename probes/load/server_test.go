package load

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A server serves kind request and RESP on loopback, as scripted: it can stand still, and it can break its connections.
type server struct {
	t        testing.TB
	listener net.Listener
	gate     sync.RWMutex // held by the script while the server stands still
	mu       sync.Mutex
	conns    map[net.Conn]bool
	store    map[string][]byte
	sets     int
	answer   int // B of kind request
}

func serve(t testing.TB, resp bool) *server {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, listener: l, conns: map[net.Conn]bool{}, store: map[string][]byte{}, answer: 64}
	t.Cleanup(func() { _ = l.Close(); s.breakAll() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns[c] = true
			s.mu.Unlock()
			if resp {
				go s.resp(c)
			} else {
				go s.frames(c)
			}
		}
	}()
	return s
}

func (s *server) addr() netip.AddrPort { return s.listener.Addr().(*net.TCPAddr).AddrPort() }

// written is how many keys were set so far.
func (s *server) written() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sets
}

// value is how long a key's value is, in B; 0 if there is none.
func (s *server) value(key string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.store[key])
}

// stall keeps the server from answering for so long.
func (s *server) stall(d time.Duration) (from, to time.Time) {
	s.gate.Lock()
	from = time.Now()
	time.Sleep(d)
	to = time.Now()
	s.gate.Unlock()
	return from, to
}

func (s *server) breakAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
	s.conns = map[net.Conn]bool{}
}

func (s *server) frames(c net.Conn) {
	in, out := bufio.NewReader(c), bufio.NewWriter(c)
	var head [4]byte
	for {
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return
		}
		if _, err := in.Discard(int(binary.BigEndian.Uint32(head[:]))); err != nil {
			return
		}
		s.gate.RLock()
		binary.BigEndian.PutUint32(head[:], uint32(s.answer))
		_, _ = out.Write(append(head[:], make([]byte, s.answer)...))
		if in.Buffered() == 0 {
			_ = out.Flush()
		}
		s.gate.RUnlock()
	}
}

func (s *server) resp(c net.Conn) {
	in, out := bufio.NewReader(c), bufio.NewWriter(c)
	for {
		args, err := readCommand(in)
		if err != nil {
			return
		}
		s.gate.RLock()
		s.mu.Lock()
		switch args[0] {
		case "DBSIZE":
			_, _ = out.WriteString(":" + strconv.Itoa(len(s.store)) + "\r\n")
		case "SET":
			s.store[args[1]] = []byte(args[2])
			s.sets++
			_, _ = out.WriteString("+OK\r\n")
		case "GET":
			v, ok := s.store[args[1]]
			if !ok {
				_, _ = out.WriteString("$-1\r\n")
				break
			}
			_, _ = out.WriteString("$" + strconv.Itoa(len(v)) + "\r\n" + string(v) + "\r\n")
		default:
			_, _ = out.WriteString("-ERR unknown command\r\n")
		}
		s.mu.Unlock()
		if in.Buffered() == 0 {
			_ = out.Flush()
		}
		s.gate.RUnlock()
	}
}

func readCommand(in *bufio.Reader) ([]string, error) {
	number := func(prefix string) (int, error) {
		line, err := in.ReadString('\n')
		if err != nil {
			return 0, err
		}
		return strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(line), prefix))
	}
	n, err := number("*")
	if err != nil {
		return nil, err
	}
	args := make([]string, n)
	for i := range args {
		size, err := number("$")
		if err != nil {
			return nil, err
		}
		b := make([]byte, size+2)
		if _, err := io.ReadFull(in, b); err != nil {
			return nil, err
		}
		args[i] = string(b[:size])
	}
	return args, nil
}
