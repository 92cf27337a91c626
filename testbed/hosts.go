package testbed

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// The hosts of a local testbed that have names of their own. More hosts for guests are host3, host4 and so on.
const (
	Source      = "src"
	Destination = "dst"
	Client      = "client"
	Store       = "store" // of image servers
)

// MaxHosts is how many hosts for guests there can be: the switch's bridge takes 1023 ports.
const MaxHosts = 1000

const hostPrefix = "host"

// HostName is the name of the i-th host for guests, from 0: src, dst, host3, host4 and so on.
func HostName(i int) string {
	switch i {
	case 0:
		return Source
	case 1:
		return Destination
	default:
		return hostPrefix + strconv.Itoa(i+1)
	}
}

// hosts is how many hosts for guests there are.
func (c Config) hosts() int {
	if c.Hosts == 0 {
		return 2
	}
	return c.Hosts
}

// hostNames are all hosts, without the switch: those for guests, in order, the client, and the store.
func (c Config) hostNames() []string {
	var list []string
	for i := range c.hosts() {
		list = append(list, HostName(i))
	}
	list = append(list, Client)
	if c.Store {
		list = append(list, Store)
	}
	return list
}

// migrates is whether a host has an end of the migration link.
func migrates(name string) bool { return name == Source || name == Destination }

func (c Config) validateHosts() error {
	var errs []error
	if c.Hosts != 0 && (c.Hosts < 2 || c.Hosts > MaxHosts) {
		errs = append(errs, fmt.Errorf("%d hosts: want 2 to %d", c.Hosts, MaxHosts))
	}
	if c.GuestHosts < 0 || c.GuestHosts > c.hosts() {
		errs = append(errs, fmt.Errorf("guests on %d hosts: want at most the testbed's, %d", c.GuestHosts, c.hosts()))
	}
	return errors.Join(errs...)
}

func lanPrefix() netip.Prefix { return netip.MustParsePrefix("10.77.0.0/16") }
func migPrefix() netip.Prefix { return netip.MustParsePrefix("10.78.0.0/24") }

// furtherHosts is what is added to the number of host3 and further to make its addresses: 10.77.1.3 and so on.
const furtherHosts = 256

// hostNumber is the last two bytes of a host's addresses; 0 is no host's.
func hostNumber(name string) uint16 {
	switch name {
	case Source:
		return 1
	case Destination:
		return 2
	case Client:
		return 3
	case Store:
		return 4
	}
	digits, ok := strings.CutPrefix(name, hostPrefix)
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 3 || n > MaxHosts || HostName(n-1) != name {
		return 0
	}
	return furtherHosts + uint16(n)
}

// isHosts is whether the last two bytes of an address are kept for a host.
func isHosts(number uint16) bool {
	return number >= 1 && number <= 4 || number >= furtherHosts && number <= furtherHosts+MaxHosts
}

func hostAddr(network netip.Prefix, name string) netip.Addr {
	n := hostNumber(name)
	if n == 0 {
		return netip.Addr{}
	}
	b := network.Addr().As4()
	b[2] += byte(n >> 8)
	b[3] = byte(n)
	return netip.AddrFrom4(b)
}

// mac is a locally administered address: fixed, so that captures of two runs look alike.
func mac(network byte, name string) net.HardwareAddr {
	n := hostNumber(name)
	return net.HardwareAddr{0x02, 0x76, 0x73, byte(n >> 8), network, byte(n)}
}
