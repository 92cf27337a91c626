package guesttest

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"time"
	"virtscope/testbed/host"

	"golang.org/x/sys/unix"
)

// echoes wants the guest to answer a datagram. Single losses are no failure: a bridge may still be learning.
func (s *suite) echoes(when string) {
	s.Helper()
	prefix, err := netip.ParsePrefix(s.Spec.NIC.Address)
	s.must(err, "guest address")
	conn, err := s.Bed.Client().Dial(s.within(), "udp4", netip.AddrPortFrom(prefix.Addr(), echoPort).String())
	s.must(err, "open an echo socket")
	defer func() { _ = conn.Close() }()
	if err := echoOnce(conn, time.Now().Add(s.Patience)); err != nil {
		s.Errorf("%s: %v", when, err)
	}
}

// echoOnce sends datagrams until one comes back.
func echoOnce(conn net.Conn, deadline time.Time) error {
	buf := make([]byte, 2048)
	for n := 0; time.Now().Before(deadline); n++ {
		sent := fmt.Appendf(nil, "echo %d", n)
		if _, err := conn.Write(sent); err != nil {
			return err
		}
		if err := conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			return err
		}
		if got, err := conn.Read(buf); err == nil && bytes.HasPrefix(buf[:got], []byte("echo ")) {
			return nil
		}
	}
	return fmt.Errorf("no echo until %s", deadline.Format(time.TimeOnly))
}

// tapIsFree is an error if somebody has the tap open.
func tapIsFree(h *host.Netns, tap string) error {
	return h.Do(func() error {
		fd, err := openTap(tap)
		if err != nil {
			return err
		}
		return unix.Close(fd)
	})
}
