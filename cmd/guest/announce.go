package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"syscall"
)

// announcement is the ARP announcement of RFC 5227, section 3: a broadcast request with the sender's address as the target too.
func announcement(mac net.HardwareAddr, address [4]byte) []byte {
	const (
		ethernet = 1
		ipv4     = syscall.ETH_P_IP
		request  = 1
	)
	b := []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	b = append(b, mac...)
	b = binary.BigEndian.AppendUint16(b, syscall.ETH_P_ARP)
	b = binary.BigEndian.AppendUint16(b, ethernet)
	b = binary.BigEndian.AppendUint16(b, ipv4)
	b = append(b, 6, 4)
	b = binary.BigEndian.AppendUint16(b, request)
	b = append(b, mac...)
	b = append(b, address[:]...)
	b = append(b, 0, 0, 0, 0, 0, 0)
	return append(b, address[:]...)
}

// announce tells the neighbours of each address of the link. The kernel does not, unless arp_notify is set.
func announce(link string) error {
	card, err := net.InterfaceByName(link)
	if err != nil {
		return fmt.Errorf("announce %s: %w", link, err)
	}
	addresses, err := ipv4Of(card)
	if err != nil {
		return fmt.Errorf("announce %s: %w", link, err)
	}
	fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("announce %s: open packet socket: %w", link, err)
	}
	defer func() { _ = syscall.Close(fd) }()
	for _, p := range addresses {
		frame := announcement(card.HardwareAddr, p.Addr().As4())
		if err := syscall.Sendto(fd, frame, 0, &syscall.SockaddrLinklayer{Ifindex: card.Index}); err != nil {
			return fmt.Errorf("announce %s on %s: %w", p, link, err)
		}
	}
	return nil
}
