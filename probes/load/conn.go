package load

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"virtscope/testbed/host"

	"golang.org/x/sys/unix"
)

// How far a connection is.
const (
	down       = iota // until retry
	connecting        // TCP tries
	up
)

// chunk is how much is encoded at a time: what waits is kept as requests, which take less room.
const chunk = 64 << 10

// A conn is one connection, made anew whenever it breaks.
type conn struct {
	fd    int // valid unless down
	state int
	retry int64  // down: when to connect, ns since the engine began
	since int64  // up: since when
	cause string // why it broke last; "" if it never was up

	queue   queue // unanswered, in order
	encoded int   // how many of them were encoded
	out     []byte
	sent    int  // B of out
	full    bool // the socket's buffer is; until it is writable
	decoder decoder
}

// open begins to connect in the network of in.
func (c *conn) open(in host.Doer, to netip.AddrPort) error {
	err := in.Do(func() (err error) {
		c.fd, err = newSocket(to)
		return err
	})
	if err != nil {
		return err
	}
	err = unix.Connect(c.fd, address(to))
	if err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return errors.Join(fmt.Errorf("connect: %w", err), unix.Close(c.fd))
	}
	c.state = connecting
	return nil
}

func newSocket(to netip.AddrPort) (int, error) {
	domain := unix.AF_INET
	if to.Addr().Unmap().Is6() {
		domain = unix.AF_INET6
	}
	fd, err := unix.Socket(domain, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_TCP)
	if err != nil {
		return 0, os.NewSyscallError("socket", err)
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return 0, errors.Join(os.NewSyscallError("setsockopt", err), unix.Close(fd))
	}
	return fd, nil
}

func address(to netip.AddrPort) unix.Sockaddr {
	if a := to.Addr().Unmap(); a.Is4() {
		return &unix.SockaddrInet4{Port: int(to.Port()), Addr: a.As4()}
	}
	return &unix.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16()}
}

// established is called once a connecting socket is writable.
func (c *conn) established(codec codec) error {
	code, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && code != 0 {
		err = unix.Errno(code)
	}
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	c.state, c.decoder, c.full = up, codec.decoder(), false
	return nil
}

// flush hands what waits to the kernel, as much as it takes.
func (c *conn) flush(codec codec) error {
	for !c.full {
		if c.sent == len(c.out) {
			c.out, c.sent = c.out[:0], 0
			for c.encoded < c.queue.len() && len(c.out) < chunk {
				c.out = codec.append(c.out, c.queue.at(c.encoded))
				c.encoded++
			}
			if len(c.out) == 0 {
				return nil
			}
		}
		n, err := unix.Write(c.fd, c.out[c.sent:])
		switch {
		case errors.Is(err, unix.EAGAIN):
			c.full = true
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return os.NewSyscallError("write", err)
		default:
			c.sent += n
		}
	}
	return nil
}

// waits reports whether there is something to send.
func (c *conn) waits() bool { return c.sent < len(c.out) || c.encoded < c.queue.len() }

// events is what to wait for.
func (c *conn) events() int16 {
	switch {
	case c.state == connecting:
		return unix.POLLOUT
	case c.full:
		return unix.POLLIN | unix.POLLOUT
	}
	return unix.POLLIN
}

// drop closes the socket; what was unanswered is the caller's.
func (c *conn) drop() error {
	var err error
	if c.state != down {
		err = os.NewSyscallError("close", unix.Close(c.fd))
	}
	c.queue.reset()
	c.out, c.sent, c.encoded = c.out[:0], 0, 0
	c.state = down
	return err
}
