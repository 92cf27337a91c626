package testbed

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"regexp"
	"time"
	"virtscope/testbed/guest"
)

// The hosts of a local testbed.
const (
	Source      = "src"
	Destination = "dst"
	Client      = "client"
)

const (
	switchName = "sw"
	bridgeName = "br0"  // on each host
	uplinkName = "up0"  // on each host
	migName    = "mig0" // on src and dst
	lanBridge  = "lan"  // on the switch
	migBridge  = "mig"  // on the switch
)

// TapName is the guest's tap on src and dst unless Config.GuestNIC names another.
const TapName = "tap0"

// GuestAddress is the address that is meant for the guest, as a CIDR.
const GuestAddress = "10.77.0.10/24"

// A Config says what to bring up.
type Config struct {
	// RunID is 6 to 8 lower-case hex digits. Every name carries it.
	RunID string
	// Link joins each host to the switch.
	Link Link
	// MigrationLink, if not nil, joins src and dst by a network of their own.
	MigrationLink *Link
	// GuestNIC is the guest's card. An empty Tap is TapName. With MAC and Address, the client knows the guest's
	// MAC for good, so that an outage is not lengthened by a failed neighbour resolution.
	GuestNIC guest.NIC
}

// A Link shapes each direction of a link. The zero value is a link as fast as the machine, with no delay.
type Link struct {
	// Rate in B/s, 0 or from 1000: of whole Ethernet frames without preamble, checksum and gap, an offloaded
	// super-frame counted as the frames that it stands for.
	Rate float64
	// Queue is how much a rate limit may hold back before it drops, as time at the rate. 0 is DefaultQueue.
	Queue time.Duration
	// Delay is added to each frame, at most a minute, in whole µs.
	Delay time.Duration
	// Jitter varies the delay evenly by ±Jitter, at most Delay. Frames may overtake one another.
	Jitter time.Duration
	// Loss is the share of frames that are lost, from 0 to 1. An offloaded super-frame is lost as one.
	Loss float64
}

// DefaultQueue is Link.Queue where it is 0.
const DefaultQueue = 50 * time.Millisecond

var runIDPattern = regexp.MustCompile(`^[0-9a-f]{6,8}$`)

// validate reports all that is wrong.
func (c Config) validate() error {
	var errs []error
	if err := checkRunID(c.RunID); err != nil {
		errs = append(errs, err)
	}
	errs = append(errs, c.Link.validate("link"))
	if c.MigrationLink != nil {
		errs = append(errs, c.MigrationLink.validate("migration link"))
	}
	if len(c.GuestNIC.Tap) > 15 {
		errs = append(errs, fmt.Errorf("tap name %q: want at most 15 bytes", c.GuestNIC.Tap))
	}
	if c.GuestNIC.MAC != "" || c.GuestNIC.Address != "" {
		_, _, err := guestNeighbour(c.GuestNIC)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func checkRunID(id string) error {
	if !runIDPattern.MatchString(id) {
		return fmt.Errorf("run id %q: want 6 to 8 lower-case hex digits", id)
	}
	return nil
}

// guestNeighbour parses what the client must know of the guest.
func guestNeighbour(n guest.NIC) (netip.Addr, net.HardwareAddr, error) {
	prefix, err := netip.ParsePrefix(n.Address)
	if err != nil {
		return netip.Addr{}, nil, fmt.Errorf("guest address %q: want an address with its prefix length, such as %s", n.Address, GuestAddress)
	}
	lan := lanPrefix()
	switch addr := prefix.Addr(); {
	case !lan.Contains(addr):
		return netip.Addr{}, nil, fmt.Errorf("guest address %s: want one in %s, such as %s", n.Address, lan, GuestAddress)
	case addr == hostAddr(lan, Source), addr == hostAddr(lan, Destination), addr == hostAddr(lan, Client):
		return netip.Addr{}, nil, fmt.Errorf("guest address %s is a host's: take %s", n.Address, GuestAddress)
	}
	mac, err := net.ParseMAC(n.MAC)
	if err != nil || len(mac) != 6 || mac[0]&1 != 0 {
		return netip.Addr{}, nil, fmt.Errorf("guest MAC %q: want a unicast address such as 52:54:00:12:34:56", n.MAC)
	}
	return prefix.Addr(), mac, nil
}

func (l Link) validate(what string) error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(what+": "+format, args...)) }
	if l.Rate != 0 && (!(l.Rate >= 1000) || l.Rate > 1e12) { // the negation catches NaN
		bad("rate %g B/s: want 0 (no limit) or 1e3 to 1e12", l.Rate)
	}
	if l.Queue < 0 || l.Queue > time.Minute {
		bad("queue %s: want 0 to 1m", l.Queue)
	}
	if l.Delay < 0 || l.Delay > time.Minute {
		bad("delay %s: want 0 to 1m", l.Delay)
	}
	if l.Jitter < 0 || l.Jitter > l.Delay {
		bad("jitter %s: want 0 to the delay, %s", l.Jitter, l.Delay)
	}
	if !(l.Loss >= 0 && l.Loss <= 1) {
		bad("loss %g: want 0 to 1", l.Loss)
	}
	if l.Loss > 0 && l.Loss < 1e-9 {
		bad("loss %g: want 0 or at least 1e-9, the kernel rounds it to nothing", l.Loss)
	}
	if len(errs) == 0 && l.limitBytes() > math.MaxUint32 {
		bad("queue %s at %g B/s holds %g B: the kernel takes 4 GiB: make the queue shorter", l.Queue, l.Rate, l.limitBytes())
	}
	return errors.Join(errs...)
}

func lanPrefix() netip.Prefix { return netip.MustParsePrefix("10.77.0.0/24") }
func migPrefix() netip.Prefix { return netip.MustParsePrefix("10.78.0.0/24") }

// hostNumber is the last byte of a host's addresses.
func hostNumber(name string) byte {
	switch name {
	case Source:
		return 1
	case Destination:
		return 2
	default:
		return 3
	}
}

func hostAddr(network netip.Prefix, name string) netip.Addr {
	b := network.Addr().As4()
	b[3] = hostNumber(name)
	return netip.AddrFrom4(b)
}

// namespaceName is at most 18 bytes.
func namespaceName(runID, node string) string { return "vs-" + runID + "-" + node }
