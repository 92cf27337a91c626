package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"
	"virtscope/testbed/guest/agent"
)

// noName is the host name of a kernel that was given none.
const noName = "(none)"

// forget gives up the guest's identity. The card goes down first, so that nothing more is sent under it.
func (s *server) forget() error {
	link, err := firstLink()
	if err != nil {
		return fmt.Errorf("forget identity: %w", err)
	}
	if link != "" {
		if err := forgetLink(link); err != nil {
			return fmt.Errorf("forget identity: %w", err)
		}
	}
	s.address = ""
	if err := syscall.Sethostname([]byte(noName)); err != nil {
		return fmt.Errorf("forget host name: %w", err)
	}
	return forgetMachineID(machineIDFile)
}

func forgetLink(link string) error {
	ls, err := openLinkSocket()
	if err != nil {
		return err
	}
	defer ls.close()
	if err := ls.down(link); err != nil {
		return err
	}
	if err := ls.clearAddresses(link); err != nil {
		return err
	}
	none, err := net.ParseMAC(agent.NoMAC)
	if err != nil {
		return err
	}
	return ls.setMAC(link, none)
}

// identify gives the guest what is set in id, and returns what its kernel then has.
func (s *server) identify(id *agent.Identity, wait time.Duration) (*agent.Identity, error) {
	if id == nil {
		return nil, errors.New("take identity: the request has none")
	}
	if err := checkIdentity(id); err != nil {
		return nil, fmt.Errorf("take identity: %w", err)
	}
	// First of all, so that whatever draws random numbers from here on draws its own.
	if id.Seed != 0 {
		if err := stirEntropy(id.Seed); err != nil {
			return nil, fmt.Errorf("take identity: %w", err)
		}
	}
	if id.Name != "" {
		if err := syscall.Sethostname([]byte(id.Name)); err != nil {
			return nil, fmt.Errorf("take host name %s: %w", id.Name, err)
		}
	}
	if id.MachineID != "" {
		if err := setMachineID(machineIDFile, id.MachineID); err != nil {
			return nil, fmt.Errorf("take identity: %w", err)
		}
	}
	if id.MAC != "" || id.Address != "" {
		if err := identifyLink(id, wait, s.out.log); err != nil {
			return nil, fmt.Errorf("take identity: %w", err)
		}
	}
	now, err := identity()
	if err != nil {
		return nil, err
	}
	if p, err := netip.ParsePrefix(now.Address); err == nil {
		s.address = p.Addr().String()
	}
	return now, nil
}

// checkIdentity refuses what the kernel would take in part.
func checkIdentity(id *agent.Identity) error {
	var c complaints
	c.unless(len(id.Name) <= 64 && !strings.ContainsAny(id.Name, " \n\x00"), "name %q: want up to 64 characters without a space", id.Name)
	if id.Address != "" {
		p, err := netip.ParsePrefix(id.Address)
		c.unless(err == nil && p.Addr().Is4(), "address %q: want IPv4 with a prefix length, such as 10.77.0.10/24", id.Address)
	}
	if id.MAC != "" {
		mac, err := net.ParseMAC(id.MAC)
		c.unless(err == nil && len(mac) == 6 && mac[0]&1 == 0, "MAC %q: want one of a card, such as 52:54:00:12:34:56", id.MAC)
	}
	c.unless(id.MachineID == "" || isMachineID(id.MachineID), "machine ID %q: want 32 hexadecimal digits in lower case", id.MachineID)
	return errors.Join(c...)
}

// identifyLink takes MAC and address with the card down, so that no frame shows the one without the other, brings it up, and
// announces it.
func identifyLink(id *agent.Identity, wait time.Duration, log func(string, ...any)) error {
	link, err := awaitLink(wait)
	if err != nil {
		return err
	}
	ls, err := openLinkSocket()
	if err != nil {
		return err
	}
	defer ls.close()
	if err := ls.down(link); err != nil {
		return err
	}
	if id.MAC != "" {
		mac, err := net.ParseMAC(id.MAC)
		if err != nil {
			return err
		}
		if err := ls.setMAC(link, mac); err != nil {
			return err
		}
	}
	if id.Address != "" {
		if err := ls.clearAddresses(link); err != nil {
			return err
		}
		p, err := netip.ParsePrefix(id.Address)
		if err != nil {
			return err
		}
		if err := ls.address(link, p); err != nil {
			return err
		}
	}
	if err := ls.up(link); err != nil {
		return err
	}
	if err := awaitCarrier(link, wait); err != nil {
		return err
	}
	if err := announce(link); err != nil {
		log("%v: neighbours may know the old MAC for a while", err)
	}
	return nil
}

// identity reads from the kernel what the guest has.
func identity() (*agent.Identity, error) {
	name, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("read host name: %w", err)
	}
	id := &agent.Identity{Name: strings.TrimSpace(name)}
	if id.Name == noName {
		id.Name = ""
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return nil, fmt.Errorf("read boot ID: %w", err)
	}
	id.BootID = strings.TrimSpace(string(boot))
	if id.MachineID, err = readMachineID(machineIDFile); err != nil {
		return nil, err
	}
	link, err := firstLink()
	if err != nil || link == "" {
		return id, err
	}
	card, err := net.InterfaceByName(link)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", link, err)
	}
	id.MAC = card.HardwareAddr.String()
	addresses, err := ipv4Of(card)
	if err != nil {
		return nil, err
	}
	if len(addresses) > 0 {
		id.Address = addresses[0].String()
	}
	return id, nil
}

// ipv4Of lists a card's IPv4 addresses.
func ipv4Of(card *net.Interface) (list []netip.Prefix, err error) {
	all, err := card.Addrs()
	if err != nil {
		return nil, fmt.Errorf("read addresses of %s: %w", card.Name, err)
	}
	for _, a := range all {
		p, err := netip.ParsePrefix(a.String())
		if err == nil && p.Addr().Is4() {
			list = append(list, p)
		}
	}
	return list, nil
}
