package main

import (
	"fmt"
	"net/netip"
	"os"
	"time"
)

// networkUp brings up lo, and the first other interface with address p. It returns when the carrier is there. begun is when the
// address was not yet set, in ns of CLOCK_MONOTONIC: the guest may answer from then on, before this returns.
func networkUp(p netip.Prefix, wait time.Duration) (link string, begun int64, err error) {
	ls, err := openLinkSocket()
	if err != nil {
		return "", 0, err
	}
	defer ls.close()
	if err := ls.up("lo"); err != nil {
		return "", 0, err
	}
	if link, err = awaitLink(wait); err != nil {
		return "", 0, err
	}
	// IPv6 would send frames of its own accord. A kernel without IPv6 has no such file.
	_ = os.WriteFile("/proc/sys/net/ipv6/conf/"+link+"/disable_ipv6", []byte("1"), 0)
	if err := ls.up(link); err != nil {
		return "", 0, err
	}
	begun = mono()
	if err := ls.address(link, p); err != nil {
		return "", 0, err
	}
	return link, begun, awaitCarrier(link, wait)
}

// awaitLink returns the first interface other than lo, once there is one.
func awaitLink(wait time.Duration) (link string, err error) {
	_, err = poll(wait, 2*time.Millisecond, func() (bool, error) {
		link, err = firstLink()
		return link != "", err
	})
	if err == nil && link == "" {
		err = fmt.Errorf("find network interface: none within %v: add a virtio-net device to the guest", wait)
	}
	return link, err
}

// awaitCarrier returns when the link, which is up, has a carrier.
func awaitCarrier(link string, wait time.Duration) error {
	there, err := poll(wait, time.Millisecond, func() (bool, error) { return hasCarrier(link), nil })
	if err == nil && !there {
		err = fmt.Errorf("wait for carrier of %s: none within %v: bring up the tap", link, wait)
	}
	return err
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
