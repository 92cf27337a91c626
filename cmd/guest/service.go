package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
	"virtscope/testbed/guest/agent"
)

// service is a guest with systemd, in which the agent is one service among others: what the system does for itself it is
// left to do.
type service struct{}

func (service) prepare(*bootLog) error {
	console("began beside the guest's own init process")
	return disableHugePages()
}

// networkWait is how long the system may take to bring up its network: DHCP, and an emulated CPU.
const networkWait = 2 * time.Minute

// network waits for the system to give the first card an address. Of one that it has already nobody says since when, and
// nothing is noted of it. Where the command line gives one, and the card has none, the
// card is given it: the testbed then knows better than an image.
func (service) network(out *outbox, b *bootLog) (string, error) {
	given, ok, err := givenAddress()
	if err != nil {
		return "", err
	}
	if ok {
		link, err := awaitLink(patience)
		if err != nil {
			return "", err
		}
		if p, up := linkAddress(link); up {
			return p.Addr().String(), nil // since when, the agent, which began after it, does not know
		}
		_, begun, err := networkUp(given, patience)
		if err != nil {
			return "", err
		}
		b.networkBegin, b.network = begun, mono()
		return given.Addr().String(), nil
	}
	if link, err := firstLink(); err == nil && link != "" {
		if p, up := linkAddress(link); up {
			return p.Addr().String(), nil
		}
	}
	address, err := awaitAddress(networkWait)
	if err != nil {
		return "", err
	}
	if !address.IsValid() {
		out.log("no network: the first card has no IPv4 address after %v", networkWait)
		return "", nil
	}
	b.network = mono()
	return address.Addr().String(), nil
}

// awaitAddress returns the first card's first IPv4 address once the card is up with it; it is not valid if there was none in
// time. The kernel says when to look: polling would be late.
func awaitAddress(wait time.Duration) (p netip.Prefix, err error) {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, syscall.NETLINK_ROUTE)
	if err != nil {
		return p, fmt.Errorf("watch the network: %w", err)
	}
	defer func() { _ = syscall.Close(fd) }()
	const groups = 0x1 | 0x10 // RTMGRP_LINK, RTMGRP_IPV4_IFADDR
	if err := syscall.Bind(fd, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK, Groups: groups}); err != nil {
		return p, fmt.Errorf("watch the network: %w", err)
	}
	// A carrier may come without a message in time: the kernel limits its link events.
	look := syscall.Timeval{Usec: 100_000}
	if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &look); err != nil {
		return p, fmt.Errorf("watch the network: %w", err)
	}
	buf := make([]byte, 16<<10)
	_, err = poll(wait, 0, func() (bool, error) {
		link, err := firstLink()
		if err != nil {
			return false, err
		}
		if link != "" {
			var up bool
			if p, up = linkAddress(link); up {
				return true, nil
			}
		}
		p = netip.Prefix{}
		_, _, err = syscall.Recvfrom(fd, buf, 0)
		if err == nil || errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR) || errors.Is(err, syscall.ENOBUFS) {
			return false, nil
		}
		return false, fmt.Errorf("watch the network: %w", err)
	})
	return p, err
}

// linkAddress is the link's first IPv4 address; up says that there is one and that the link has a carrier.
func linkAddress(link string) (p netip.Prefix, up bool) {
	card, err := net.InterfaceByName(link)
	if err != nil {
		return p, false
	}
	addresses, err := ipv4Of(card)
	if err != nil || len(addresses) == 0 {
		return p, false
	}
	return addresses[0], card.Flags&net.FlagUp != 0 && hasCarrier(link)
}

// boot takes the begin of PID 1 from systemd.
func (service) boot(b bootLog) (*agent.Boot, error) {
	properties, err := showManager()
	if err == nil {
		b.init = properties.ns("UserspaceTimestampMonotonic")
	}
	boot, logErr := b.report()
	return boot, errors.Join(err, logErr)
}

func (service) units() (*agent.Units, error) {
	properties, err := showManager()
	if err != nil {
		return nil, err
	}
	stages, err := stagesOf(properties)
	if err != nil {
		return nil, err
	}
	blocks, err := showUnits()
	if err != nil {
		return nil, err
	}
	units, leftOut := unitsOf(blocks)
	return &agent.Units{Stages: stages, Units: units, LeftOut: leftOut}, nil
}

func (service) runs(kind string) error {
	if kind == kindRedis {
		return errors.New("redis runs in the built-in guest alone: take that, or kv")
	}
	return nil
}
