package echo

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// errNotOurs is a datagram that is not a reply to this train.
var errNotOurs = errors.New("not a reply to this train")

// A socket is a UDP socket that is not connected, so that an ICMP error about an earlier probe never fails a
// later one. Send belongs to one goroutine, receive and wait to another.
type socket struct {
	fd     int
	to     unix.Sockaddr
	target netip.AddrPort
	out    []byte
	in     [2048]byte
	oob    [256]byte

	overflow int64 // replies that found the receive buffer full

	wake int // eventfd
}

// openSocket opens a socket in the network of the calling thread.
func openSocket(target netip.AddrPort) (*socket, error) {
	if !target.IsValid() || target.Port() == 0 {
		return nil, errors.New("open socket: the target needs an address and a port")
	}
	target = netip.AddrPortFrom(target.Addr().Unmap(), target.Port())
	domain := unix.AF_INET
	if target.Addr().Is6() {
		domain = unix.AF_INET6
	}
	fd, err := unix.Socket(domain, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_UDP)
	if err != nil {
		return nil, fmt.Errorf("open socket: %w", err)
	}
	s := &socket{fd: fd, wake: -1, target: target}
	if err := s.configure(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *socket) configure() error {
	if s.target.Addr().Is6() {
		s.to = &unix.SockaddrInet6{Port: int(s.target.Port()), Addr: s.target.Addr().As16()}
	} else {
		s.to = &unix.SockaddrInet4{Port: int(s.target.Port()), Addr: s.target.Addr().As4()}
	}
	for _, o := range []int{unix.SO_TIMESTAMPNS, unix.SO_RXQ_OVFL} {
		if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, o, 1); err != nil {
			return fmt.Errorf("set socket option %d: %w", o, err)
		}
	}
	// Room for a burst after an outage; without CAP_NET_ADMIN the system's limit holds, and drops are counted.
	for _, o := range []int{unix.SO_RCVBUFFORCE, unix.SO_SNDBUFFORCE} {
		if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, o, 4<<20); err != nil && !errors.Is(err, unix.EPERM) {
			return fmt.Errorf("set buffer size: %w", err)
		}
	}
	var err error
	if s.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return fmt.Errorf("make eventfd: %w", err)
	}
	return nil
}

func (s *socket) close() error {
	errs := []error{unix.Close(s.fd)}
	if s.wake >= 0 {
		errs = append(errs, unix.Close(s.wake))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close socket: %w", err)
	}
	return nil
}

// send sends a probe and returns when, in ns since the Unix epoch: just before the call.
func (s *socket) send(train, seq uint64, size int) (int64, error) {
	if len(s.out) != size {
		s.out = make([]byte, size)
	}
	encode(s.out, train, seq)
	for {
		at := now(unix.CLOCK_REALTIME)
		err := unix.Sendto(s.fd, s.out, unix.MSG_DONTWAIT, s.to)
		if !errors.Is(err, unix.EINTR) {
			return at, err
		}
	}
}

// isLoss reports whether a failed send is the network's doing, and so a lost probe: no route, no neighbour, no
// room in a queue, a firewall.
func isLoss(err error) bool {
	for _, loss := range []unix.Errno{
		unix.ENETUNREACH, unix.EHOSTUNREACH, unix.ENETDOWN, unix.EHOSTDOWN, unix.ECONNREFUSED,
		unix.ENOBUFS, unix.ENOMEM, unix.EAGAIN, unix.EPERM,
	} {
		if errors.Is(err, loss) {
			return true
		}
	}
	return false
}

// wait sleeps until something arrives, or for so long; woken tells that wakeUp was called.
func (s *socket) wait(most time.Duration) (woken bool, err error) {
	fds := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}, {Fd: int32(s.wake), Events: unix.POLLIN}}
	if _, err := unix.Poll(fds, int(most.Milliseconds())); err != nil && !errors.Is(err, unix.EINTR) {
		return false, fmt.Errorf("wait for replies: %w", err)
	}
	return fds[1].Revents != 0, nil
}

// wakeUp ends a wait.
func (s *socket) wakeUp() {
	one := [8]byte{0: 1, 7: 1} // an eventfd takes 8 bytes in host order; any number but zero wakes
	_, _ = unix.Write(s.wake, one[:])
}

// receive takes one datagram and returns its number and when the kernel got it, in ns since the Unix epoch.
// It returns unix.EAGAIN if there is none.
func (s *socket) receive(train uint64) (seq uint64, at int64, err error) {
	n, oobn, _, from, err := unix.Recvmsg(s.fd, s.in[:], s.oob[:], unix.MSG_DONTWAIT)
	if errors.Is(err, unix.EINTR) {
		return 0, 0, errNotOurs
	}
	if err != nil {
		return 0, 0, err
	}
	at, err = s.stamp(s.oob[:oobn])
	if err != nil {
		return 0, 0, err
	}
	seq, ok := decode(s.in[:n], train)
	if !ok || !s.isTarget(from) {
		return 0, 0, errNotOurs
	}
	return seq, at, nil
}

// stamp reads the control messages of a datagram.
func (s *socket) stamp(oob []byte) (int64, error) {
	at := int64(0)
	for len(oob) > 0 {
		header, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			return 0, fmt.Errorf("read control message: %w", err)
		}
		oob = rest
		switch {
		case header.Level != unix.SOL_SOCKET:
		case header.Type == unix.SCM_TIMESTAMPNS && len(data) >= int(unsafe.Sizeof(unix.Timespec{})):
			at = (*unix.Timespec)(unsafe.Pointer(&data[0])).Nano()
		case header.Type == unix.SO_RXQ_OVFL && len(data) >= 4:
			s.overflow = int64(binary.NativeEndian.Uint32(data)) // since the socket was opened
		}
	}
	if at == 0 {
		return 0, errors.New("the kernel gave no timestamp")
	}
	return at, nil
}

func (s *socket) isTarget(from unix.Sockaddr) bool {
	switch a := from.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)) == s.target
	case *unix.SockaddrInet6:
		return a.Addr == s.target.Addr().As16() && a.Port == int(s.target.Port())
	}
	return false
}
