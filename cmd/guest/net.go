package main

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// An ifreq is struct ifreq of linux/if.h: a name and a union of 24 bytes.
type ifreq struct {
	name [syscall.IFNAMSIZ]byte
	data [24]byte
}

// A linkSocket is a socket for interface ioctls.
type linkSocket int

func (s linkSocket) ioctl(request uintptr, link string, r *ifreq) error {
	copy(r.name[:syscall.IFNAMSIZ-1], link)
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(s), request, uintptr(unsafe.Pointer(r)))
	if errno != 0 {
		return errno
	}
	return nil
}

func (s linkSocket) flags(link string) (uint16, error) {
	var r ifreq
	err := s.ioctl(syscall.SIOCGIFFLAGS, link, &r)
	return binary.NativeEndian.Uint16(r.data[:]), err
}

func (s linkSocket) up(link string) error {
	flags, err := s.flags(link)
	if err != nil {
		return fmt.Errorf("read flags of %s: %w", link, err)
	}
	var r ifreq
	binary.NativeEndian.PutUint16(r.data[:], flags|syscall.IFF_UP)
	if err := s.ioctl(syscall.SIOCSIFFLAGS, link, &r); err != nil {
		return fmt.Errorf("bring up %s: %w", link, err)
	}
	return nil
}

func (s linkSocket) address(link string, p netip.Prefix) error {
	addr := p.Addr().As4()
	if err := s.inet(syscall.SIOCSIFADDR, link, addr); err != nil {
		return fmt.Errorf("set address %s on %s: %w", p, link, err)
	}
	var mask [4]byte
	binary.BigEndian.PutUint32(mask[:], uint32(^uint64(0)<<(32-p.Bits())))
	if err := s.inet(syscall.SIOCSIFNETMASK, link, mask); err != nil {
		return fmt.Errorf("set netmask of %s on %s: %w", p, link, err)
	}
	return nil
}

// inet sets an IPv4 address: a struct sockaddr_in in the ifreq's union.
func (s linkSocket) inet(request uintptr, link string, addr [4]byte) error {
	var r ifreq
	binary.NativeEndian.PutUint16(r.data[:], syscall.AF_INET)
	copy(r.data[4:], addr[:])
	return s.ioctl(request, link, &r)
}

// networkUp brings up lo, and the first other interface with address p. It returns when the carrier is there.
func networkUp(p netip.Prefix, wait time.Duration) (link string, err error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", fmt.Errorf("open socket for ioctls: %w", err)
	}
	defer func() { _ = syscall.Close(fd) }()
	s := linkSocket(fd)
	if err := s.up("lo"); err != nil {
		return "", err
	}
	until := mono() + int64(wait)
	for link == "" {
		link, err = firstLink()
		if err != nil {
			return "", err
		}
		if link == "" && mono() > until {
			return "", fmt.Errorf("find network interface: none within %v: add a virtio-net device to the guest", wait)
		}
		if link == "" {
			sleepUntil(mono() + int64(2*time.Millisecond))
		}
	}
	// IPv6 would send frames of its own accord. A kernel without IPv6 has no such file.
	_ = os.WriteFile("/proc/sys/net/ipv6/conf/"+link+"/disable_ipv6", []byte("1"), 0)
	if err := s.up(link); err != nil {
		return "", err
	}
	if err := s.address(link, p); err != nil {
		return "", err
	}
	for !hasCarrier(link) {
		if mono() > until {
			return "", fmt.Errorf("wait for carrier of %s: none within %v: bring up the tap", link, wait)
		}
		sleepUntil(mono() + int64(time.Millisecond))
	}
	return link, nil
}

// hasCarrier asks the driver. IFF_RUNNING would be up to a second late: the kernel limits its link events.
func hasCarrier(link string) bool {
	state, err := os.ReadFile("/sys/class/net/" + link + "/carrier")
	return err == nil && len(state) > 0 && state[0] == '1'
}

// firstLink is the first interface other than lo, or empty.
func firstLink() (string, error) {
	entries, err := os.ReadDir("/sys/class/net")
	if err != nil {
		return "", fmt.Errorf("list network interfaces: %w", err)
	}
	for _, e := range entries {
		if e.Name() != "lo" {
			return e.Name(), nil
		}
	}
	return "", nil
}
