package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"unsafe"
)

// An ifreq is struct ifreq of linux/if.h: a name and a union of 24 bytes.
type ifreq struct {
	name [syscall.IFNAMSIZ]byte
	data [24]byte
}

// A linkSocket is a socket for interface ioctls.
type linkSocket int

func openLinkSocket() (linkSocket, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open socket for ioctls: %w", err)
	}
	return linkSocket(fd), nil
}

func (s linkSocket) close() { _ = syscall.Close(int(s)) }

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

func (s linkSocket) down(link string) error {
	flags, err := s.flags(link)
	if err != nil {
		return fmt.Errorf("read flags of %s: %w", link, err)
	}
	var r ifreq
	binary.NativeEndian.PutUint16(r.data[:], flags&^syscall.IFF_UP)
	if err := s.ioctl(syscall.SIOCSIFFLAGS, link, &r); err != nil {
		return fmt.Errorf("take down %s: %w", link, err)
	}
	return nil
}

// setMAC gives a link that is down its MAC.
func (s linkSocket) setMAC(link string, mac net.HardwareAddr) error {
	var r ifreq
	binary.NativeEndian.PutUint16(r.data[:], syscall.ARPHRD_ETHER)
	copy(r.data[2:], mac)
	if err := s.ioctl(syscall.SIOCSIFHWADDR, link, &r); err != nil {
		return fmt.Errorf("set MAC %s on %s: %w", mac, link, err)
	}
	return nil
}

// clearAddresses takes all IPv4 addresses from the link. An address of 0 takes the first away (devinet_ioctl).
func (s linkSocket) clearAddresses(link string) error {
	const most = 64
	for range most {
		card, err := net.InterfaceByName(link)
		if err != nil {
			return fmt.Errorf("read %s: %w", link, err)
		}
		addresses, err := ipv4Of(card)
		if err != nil || len(addresses) == 0 {
			return err
		}
		if err := s.inet(syscall.SIOCSIFADDR, link, [4]byte{}); err != nil {
			return fmt.Errorf("take address %s from %s: %w", addresses[0], link, err)
		}
	}
	return fmt.Errorf("take addresses from %s: it has addresses under another label: give it one address alone", link)
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
