package ready

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// A datagram is 24 B: magic, the waiter's number, the attempt's number (big endian).
const datagram = 24

var magic = []byte("vready.1")

// openEcho opens a socket in the network of the calling thread. It is not connected: an ICMP error about one guest never
// fails another's attempt.
func openEcho() (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP)
	if err != nil {
		return -1, fmt.Errorf("open socket: %w", err)
	}
	wait := unix.NsecToTimeval(int64(glance))
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait),
	)
	if err != nil {
		return -1, errors.Join(fmt.Errorf("set socket options: %w", err), unix.Close(fd))
	}
	return fd, nil
}

// isNetworks reports whether a failed send is the network's doing: no attempt was made then.
func isNetworks(err error) bool {
	for _, loss := range []unix.Errno{
		unix.ENETUNREACH, unix.EHOSTUNREACH, unix.ENETDOWN, unix.EHOSTDOWN, unix.ECONNREFUSED,
		unix.ENOBUFS, unix.ENOMEM, unix.EAGAIN, unix.EINTR, unix.EPERM,
	} {
		if errors.Is(err, loss) {
			return true
		}
	}
	return false
}

// decode reads the number of the attempt that a datagram answers.
func decode(b []byte, number uint64) (seq uint64, ok bool) {
	if len(b) != datagram || !bytes.Equal(b[:8], magic) || binary.BigEndian.Uint64(b[8:]) != number {
		return 0, false
	}
	return binary.BigEndian.Uint64(b[16:]), true
}

// arrival is the kernel's stamp of a message, ns since the Unix epoch; 0 if it has none.
func arrival(oob []byte) int64 {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return 0
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_TIMESTAMPNS && len(m.Data) >= 16 {
			return int64(binary.NativeEndian.Uint64(m.Data))*1e9 + int64(binary.NativeEndian.Uint64(m.Data[8:]))
		}
	}
	return 0
}
