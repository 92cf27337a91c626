package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"
)

// A tcpServer serves each connection of a port with a goroutine.
type tcpServer struct {
	listener net.Listener
	serve    func(net.Conn)

	mu     sync.Mutex
	open   map[net.Conn]bool
	closed bool
	served sync.WaitGroup
}

// listenTCP opens a port on all addresses. Clients wait until run.
func listenTCP(port int, serve func(net.Conn)) (*tcpServer, error) {
	// A guest says nothing of its own accord: keep-alive probes would be its frames.
	config := net.ListenConfig{KeepAlive: -1}
	l, err := config.Listen(context.Background(), "tcp4", fmt.Sprintf(":%d", port))
	if err != nil {
		return nil, fmt.Errorf("serve TCP port %d: %w", port, err)
	}
	return &tcpServer{listener: l, serve: serve, open: map[net.Conn]bool{}}, nil
}

// run serves until close and until every connection was let go. It returns nil after a close.
func (s *tcpServer) run() error {
	defer s.served.Wait()
	for {
		conn, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if scarce(err) {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if err != nil {
			return fmt.Errorf("accept connection: %w", err)
		}
		if !s.add(conn) {
			continue
		}
		s.served.Go(func() {
			s.serve(conn)
			s.remove(conn)
		})
	}
}

// scarce reports whether a connection could not be accepted for want of files or memory, which passes (accept(2)).
func scarce(err error) bool {
	return slices.ContainsFunc([]error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM}, func(e error) bool { return errors.Is(err, e) })
}

func (s *tcpServer) add(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = conn.Close()
		return false
	}
	s.open[conn] = true
	return true
}

func (s *tcpServer) remove(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = conn.Close() // its client sees what there is to see
	delete(s.open, conn)
}

// close ends the port and its connections, and is idempotent.
func (s *tcpServer) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	_ = s.listener.Close()
	for conn := range s.open {
		_ = conn.Close()
	}
}
