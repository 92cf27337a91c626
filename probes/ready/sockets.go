package ready

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
	"virtscope/probes"

	"golang.org/x/sys/unix"
)

// sockets makes TCP sockets in the client's network, on one thread that stays there: a thread for each attempt would cost
// more than the attempt.
type sockets struct {
	conf  Config
	meter *probes.Meter
	once  sync.Once
	asks  chan ask
	done  chan struct{}
	ended chan error // nil before open
}

type ask struct {
	to    netip.AddrPort
	reply chan connecting // has room for one
}

// connecting is a socket that connects, or why it does not.
type connecting struct {
	fd  int
	err error
}

func newSockets(c Config, m *probes.Meter) *sockets {
	return &sockets{conf: c, meter: m, asks: make(chan ask), done: make(chan struct{})}
}

func (s *sockets) open() {
	s.once.Do(func() {
		s.ended = make(chan error, 1)
		go func() { s.ended <- s.conf.In.Do(s.serve) }()
	})
}

func (s *sockets) close() error {
	close(s.done)
	if s.ended == nil {
		return nil
	}
	return <-s.ended
}

// serve runs in the client's network.
func (s *sockets) serve() error {
	defer s.meter.Thread()()
	for {
		select {
		case a := <-s.asks:
			fd, err := connect(a.to)
			a.reply <- connecting{fd, err}
		case <-s.done:
			return nil
		}
	}
}

// connect begins to connect.
func connect(to netip.AddrPort) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return -1, fmt.Errorf("open socket: %w", err)
	}
	err = unix.Connect(fd, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()})
	if err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return -1, errors.Join(fmt.Errorf("connect: %w", err), unix.Close(fd))
	}
	return fd, nil
}

// dial connects within a time.
func (s *sockets) dial(ctx context.Context, to netip.AddrPort, limit time.Duration) (net.Conn, error) {
	a := ask{to, make(chan connecting, 1)}
	select {
	case s.asks <- a:
	case <-s.done:
		return nil, errClosed
	case err := <-s.ended: // the network cannot be entered
		s.ended <- err
		return nil, errors.Join(err, errClosed)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	c := <-a.reply
	if c.err != nil {
		return nil, c.err
	}
	f := os.NewFile(uintptr(c.fd), "connection")
	defer f.Close()
	if err := f.SetDeadline(time.Now().Add(limit)); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = f.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := connected(f); err != nil {
		return nil, err
	}
	return net.FileConn(f)
}

// connected waits until a socket is connected.
func connected(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Write(func(fd uintptr) bool {
		code, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && code != 0 {
			err = unix.Errno(code)
		}
		if err != nil {
			failed = fmt.Errorf("connect: %w", err)
			return true
		}
		_, err = unix.Getpeername(int(fd))
		return err == nil // not connected yet
	})
	return errors.Join(failed, err)
}
