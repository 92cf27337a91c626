package main

import (
	"fmt"
	"syscall"
	"unsafe"
)

const echoPort = 7

// echoSocket opens the UDP port of the echo responder on all addresses.
func echoSocket(port int) (int, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open echo socket: %w", err)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Port: port}); err != nil {
		_ = syscall.Close(fd)
		return -1, fmt.Errorf("bind echo socket to UDP port %d: %w", port, err)
	}
	return fd, nil
}

// echo sends each datagram back as it came, until the socket is closed. It makes no garbage: a collection
// would dirty memory and delay answers.
func echo(fd int) error {
	var (
		buf  [65536]byte
		addr syscall.RawSockaddrInet4
	)
	for {
		size := uint32(unsafe.Sizeof(addr))
		n, _, errno := syscall.Syscall6(syscall.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)),
			0, uintptr(unsafe.Pointer(&addr)), uintptr(unsafe.Pointer(&size)))
		if errno == syscall.EINTR || errno == syscall.ECONNREFUSED {
			continue
		}
		if errno != 0 {
			return fmt.Errorf("receive echo request: %w", errno)
		}
		// What cannot be sent is a lost answer, as the network may lose it: the client counts it.
		_, _, _ = syscall.Syscall6(syscall.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&buf[0])), n,
			syscall.MSG_DONTWAIT, uintptr(unsafe.Pointer(&addr)), uintptr(size))
	}
}
