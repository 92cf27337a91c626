package main

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
)

// A failing listener fails in these ways, one after the other.
type failingListener struct {
	net.Listener
	errs []error
}

func (l *failingListener) Accept() (net.Conn, error) {
	err := l.errs[0]
	l.errs = l.errs[1:]
	return nil, &net.OpError{Op: "accept", Err: err}
}

func (l *failingListener) Close() error { return nil }

// What passes does not end the service; anything else does.
func TestTCPServerWaitsForFiles(t *testing.T) {
	short := func(e syscall.Errno) error { return os.NewSyscallError("accept4", e) }
	l := &failingListener{errs: []error{short(syscall.EMFILE), short(syscall.ENFILE), short(syscall.ENOBUFS), short(syscall.ENOMEM), net.ErrClosed}}
	s := &tcpServer{listener: l, open: map[net.Conn]bool{}}
	if err := s.run(); err != nil || len(l.errs) != 0 {
		t.Errorf("run = %v, with %d errors to come", err, len(l.errs))
	}
	l.errs = []error{short(syscall.EINVAL), io.EOF}
	if err := s.run(); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("run = %v, want that the argument is wrong", err)
	}
}
