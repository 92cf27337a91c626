package guesttest

import (
	"errors"
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// openTap attaches to an existing tap in this process's network, for whole frames without any header.
func openTap(name string) (int, error) {
	if _, err := net.InterfaceByName(name); err != nil { // the ioctl would make one
		return -1, fmt.Errorf("open tap %s: %w", name, err)
	}
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open /dev/net/tun: %w", err)
	}
	if err := attach(fd, name); err != nil {
		return -1, errors.Join(err, unix.Close(fd))
	}
	return fd, nil
}

func attach(fd int, name string) error {
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return fmt.Errorf("open tap %q: %w", name, err)
	}
	ifr.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
	err = unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr)
	if errors.Is(err, unix.EBUSY) {
		return fmt.Errorf("open tap %s: %w: another guest has it", name, err)
	}
	if err != nil {
		return fmt.Errorf("open tap %s: %w", name, err)
	}
	// Who had it before may have left offloads on: frames without checksums, or longer than the link's.
	if err := unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, 0); err != nil {
		return fmt.Errorf("turn off offloads of tap %s: %w", name, err)
	}
	return nil
}
