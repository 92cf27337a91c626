package testbed

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"virtscope/testbed/guest"
)

// TapName is the guest's tap on the hosts for guests unless Config.GuestNIC names another.
const TapName = "tap0"

// GuestAddress is the address that is meant for a guest that is alone, as a CIDR. Its prefix is shorter than the network's: it
// holds the hosts that such a guest talks to.
const GuestAddress = "10.77.0.10/24"

// MaxGuests is how many guests there can be: the bridge of each host takes 1023 taps.
const MaxGuests = 1000

// furtherGuests is what is added to the number of the second guest and further to make its addresses: 10.77.16.1 and so on.
const furtherGuests = 16 << 8

// GuestNIC is the card of guest n, from 0, of several: tap0, 52:54:00:77:00:10 and 10.77.0.10 for the first, then tap1,
// 52:54:00:77:10:01 and 10.77.16.1, tap2, 52:54:00:77:10:02 and 10.77.16.2 and so on. The prefix is the network's, so that a
// guest reaches every host and every other guest.
func GuestNIC(n int) guest.NIC {
	number := uint16(furtherGuests + n)
	if n == 0 {
		number = 10
	}
	b := lanPrefix().Addr().As4()
	b[2], b[3] = byte(number>>8), byte(number)
	mac := net.HardwareAddr{0x52, 0x54, 0x00, 0x77, b[2], b[3]}
	if n == 0 {
		mac[5] = 0x10
	}
	return guest.NIC{
		Tap:     fmt.Sprintf("tap%d", n),
		MAC:     mac.String(),
		Address: netip.PrefixFrom(netip.AddrFrom4(b), lanPrefix().Bits()).String(),
	}
}

// guests are the cards that hosts must know.
func (c Config) guests() []guest.NIC {
	if len(c.Guests) > 0 {
		return c.Guests
	}
	return []guest.NIC{c.GuestNIC}
}

// tapsOf are the taps that a host has.
func (c Config) tapsOf(name string) []string {
	hosts := c.hosts()
	if c.GuestHosts > 0 && len(c.Guests) > 0 {
		hosts = c.GuestHosts
	}
	if i := slices.Index(c.hostNames(), name); i < 0 || i >= min(hosts, c.hosts()) {
		return nil
	}
	var taps []string
	for _, nic := range c.guests() {
		taps = append(taps, nic.Tap)
	}
	return taps
}

// validateGuests reports what is wrong with the guests' cards.
func (c Config) validateGuests() error {
	if len(c.Guests) == 0 {
		return validateNIC(c.GuestNIC)
	}
	var errs []error
	if c.GuestNIC != (guest.NIC{}) {
		errs = append(errs, errors.New("one guest's card and those of many are set: set one of them"))
	}
	if len(c.Guests) > MaxGuests {
		errs = append(errs, fmt.Errorf("%d guests: want at most %d", len(c.Guests), MaxGuests))
	}
	seen := make(map[string]int)
	for i, nic := range c.Guests {
		if nic.Tap == "" || nic.MAC == "" || nic.Address == "" {
			errs = append(errs, fmt.Errorf("guest %d: want a tap, a MAC and an address: take testbed.GuestNIC(%d)", i, i))
			continue
		}
		if err := validateNIC(nic); err != nil {
			errs = append(errs, fmt.Errorf("guest %d: %w", i, err))
			continue
		}
		addr, mac, _ := guestNeighbour(nic) // it was validated
		for _, what := range []string{"tap " + nic.Tap, "MAC " + mac.String(), "address " + addr.String()} {
			if other, taken := seen[what]; taken {
				errs = append(errs, fmt.Errorf("guests %d and %d have one %s", other, i, what))
			}
			seen[what] = i
		}
	}
	return errors.Join(errs...)
}

func validateNIC(nic guest.NIC) error {
	var errs []error
	if len(nic.Tap) > 15 {
		errs = append(errs, fmt.Errorf("tap name %q: want at most 15 bytes", nic.Tap))
	}
	if slices.Contains([]string{"lo", bridgeName, uplinkName, migName}, nic.Tap) {
		errs = append(errs, fmt.Errorf("tap name %q: the host has a device of that name", nic.Tap))
	}
	if nic.MAC != "" || nic.Address != "" {
		_, _, err := guestNeighbour(nic)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// guestNeighbour parses what the hosts must know of a guest.
func guestNeighbour(n guest.NIC) (netip.Addr, net.HardwareAddr, error) {
	prefix, err := netip.ParsePrefix(n.Address)
	if err != nil {
		return netip.Addr{}, nil, fmt.Errorf("guest address %q: want an address with its prefix length, such as %s", n.Address, GuestAddress)
	}
	lan, addr := lanPrefix(), prefix.Addr()
	if !lan.Contains(addr) {
		return netip.Addr{}, nil, fmt.Errorf("guest address %s: want one in %s, such as %s", n.Address, lan, GuestAddress)
	}
	b := addr.As4()
	if isHosts(uint16(b[2])<<8 | uint16(b[3])) {
		return netip.Addr{}, nil, fmt.Errorf("guest address %s is a host's: take %s", n.Address, GuestAddress)
	}
	mac, err := net.ParseMAC(n.MAC)
	if err != nil || len(mac) != 6 || mac[0]&1 != 0 {
		return netip.Addr{}, nil, fmt.Errorf("guest MAC %q: want a unicast address such as 52:54:00:12:34:56", n.MAC)
	}
	return addr, mac, nil
}
