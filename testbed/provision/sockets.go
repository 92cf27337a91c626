package provision

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"
	"virtscope/testbed/host"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// A connection is what the kernel says of one TCP socket (sock_diag(7); linux/inet_diag.h).
type connection struct {
	port   uint16 // its own
	cookie uint64
	sent   uint64 // B of payload, without what was sent again
}

const (
	diagMessage   = 72 // B of struct inet_diag_msg
	diagRequest   = 56 // B of struct inet_diag_req_v2
	diagInfo      = 2  // INET_DIAG_INFO: struct tcp_info
	destroyedTCP  = 1  // group SKNLGRP_INET_TCP_DESTROY
	destroyedTCP6 = 3  // group SKNLGRP_INET6_TCP_DESTROY
)

// parseConnection reads an inet_diag_msg and its attributes. Known is false where the kernel gave no counters.
func parseConnection(b []byte) (c connection, known bool, err error) {
	if len(b) < diagMessage {
		return c, false, fmt.Errorf("read a socket's state: %d B, want %d", len(b), diagMessage)
	}
	c.port = binary.BigEndian.Uint16(b[4:])
	c.cookie = uint64(binary.NativeEndian.Uint32(b[44:])) | uint64(binary.NativeEndian.Uint32(b[48:]))<<32
	attrs, err := nl.ParseRouteAttr(b[diagMessage:])
	if err != nil {
		return c, false, fmt.Errorf("read a socket's state: %w", err)
	}
	for _, a := range attrs {
		const sentAt, againAt = unsafe.Offsetof(unix.TCPInfo{}.Bytes_sent), unsafe.Offsetof(unix.TCPInfo{}.Bytes_retrans)
		if a.Attr.Type != diagInfo || len(a.Value) < int(againAt)+8 {
			continue
		}
		sent, again := binary.NativeEndian.Uint64(a.Value[sentAt:]), binary.NativeEndian.Uint64(a.Value[againAt:])
		if again > sent {
			return c, false, fmt.Errorf("read a socket's state: %d B were sent again, of %d", again, sent)
		}
		c.sent = sent - again
		return c, true, nil
	}
	return c, false, nil
}

// A diagQuery asks for all TCP sockets of a family, with their counters.
type diagQuery uint8

func (q diagQuery) Len() int { return diagRequest }

func (q diagQuery) Serialize() []byte {
	b := make([]byte, diagRequest)
	b[0], b[1], b[2] = byte(q), unix.IPPROTO_TCP, 1<<(diagInfo-1)
	binary.NativeEndian.PutUint32(b[4:], ^uint32(0)) // in all states
	return b
}

// eachConnection calls f with every TCP connection of a host.
func eachConnection(inside host.Doer, f func(connection)) error {
	return inside.Do(func() error {
		for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
			r := nl.NewNetlinkRequest(nl.SOCK_DIAG_BY_FAMILY, unix.NLM_F_DUMP)
			r.AddData(diagQuery(family))
			messages, err := r.Execute(unix.NETLINK_SOCK_DIAG, 0)
			if err != nil {
				return fmt.Errorf("list TCP connections: %w", err)
			}
			for _, b := range messages {
				c, known, err := parseConnection(b)
				if err != nil {
					return err
				}
				if known {
					f(c)
				}
			}
		}
		return nil
	})
}

// followEnds calls f with every TCP connection of a host that ends, until stop is called, which waits for the last
// and says whether any was lost.
func followEnds(inside host.Doer, f func(connection)) (stop func() (lost bool), err error) {
	var fd int
	err = inside.Do(func() (err error) {
		fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
		if err != nil {
			return err
		}
		groups := uint32(1<<(destroyedTCP-1) | 1<<(destroyedTCP6-1))
		// It wakes up now and then to see whether it is to stop.
		err = errors.Join(unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}),
			unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000}))
		if err != nil {
			return errors.Join(err, unix.Close(fd))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("follow the end of TCP connections: %w", err)
	}
	quit, lost := make(chan struct{}), make(chan bool, 1)
	go func() { lost <- receiveEnds(fd, quit, f) }()
	return func() bool {
		close(quit)
		defer func() { _ = unix.Close(fd) }()
		return <-lost
	}, nil
}

// receiveEnds reads messages until quit is closed and none is left.
func receiveEnds(fd int, quit <-chan struct{}, f func(connection)) (lost bool) {
	buf := make([]byte, 64<<10)
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err != nil {
			lost = lost || errors.Is(err, unix.ENOBUFS)
			select {
			case <-quit:
				return lost
			default:
				continue
			}
		}
		c, known, err := parseEnd(buf[:n])
		if err != nil {
			lost = true
		}
		if known {
			f(c)
		}
	}
}

// parseEnd reads a datagram of one message.
func parseEnd(b []byte) (c connection, known bool, err error) {
	if len(b) < unix.SizeofNlMsghdr {
		return c, false, fmt.Errorf("read a message of %d B: it is too short", len(b))
	}
	length := binary.NativeEndian.Uint32(b)
	if length < unix.SizeofNlMsghdr || uint64(length) > uint64(len(b)) {
		return c, false, fmt.Errorf("read a message of %d B: it says %d", len(b), length)
	}
	return parseConnection(b[unix.SizeofNlMsghdr:length])
}
