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
	// GuestNIC is the guest's card. An empty Tap is TapName. With MAC and Address, every host knows the guest's
	// MAC for good, so that an outage is not lengthened by a failed neighbour resolution, wherever the client is.
	GuestNIC guest.NIC

	// Emulator of delay, jitter and loss: EmulatorNetem, EmulatorRelay or EmulatorAuto. "" is EmulatorAuto.
	Emulator string
	// RelayCommand is a program, with its arguments, that runs relay.Serve. It must be set where the relay is used.
	RelayCommand []string
	// Seed of the relay's random draws. 0 is a new one for each Up: two trials must not lose the same frames.
	Seed uint64
}

// Values of Config.Emulator.
const (
	EmulatorAuto  = "auto"  // netem where the kernel has it, else the relay
	EmulatorNetem = "netem" // the kernel's sch_netem
	EmulatorRelay = "relay" // package relay
)

// A Link shapes each direction of a link. The zero value is a link as fast as the machine, with no delay. The rate is the
// kernel's tbf in any case; what delays, varies and loses is Config.Emulator.
type Link struct {
	// Rate in B/s, 0 or from 1000: of whole Ethernet frames without preamble, checksum and gap, an offloaded
	// super-frame counted as the frames that it stands for.
	Rate float64
	// Upload in B/s is what a host may send; Rate then is what it may receive. 0 is Rate.
	Upload float64
	// Queue is how much a rate limit may hold back before it drops, as time at the rate. 0 is DefaultQueue.
	Queue time.Duration
	// Delay is added to each frame, at most a minute, in whole µs.
	Delay time.Duration
	// Jitter varies the delay evenly by ±Jitter, at most Delay. Frames may overtake one another.
	Jitter time.Duration
	// Loss is the share of frames that are lost, from 0 to 1. An offloaded super-frame is lost as one: netem has them on
	// any link, the relay on links that are not limited to SuperFrameRate or less in either direction.
	Loss float64
}

// Emulated says what is asked of the link's emulator, for a reader: such as "delay 12.5ms, jitter 1ms, loss 0.0001".
func (l Link) Emulated() string {
	text := "delay " + l.Delay.String()
	if l.Jitter > 0 {
		text += ", jitter " + l.Jitter.String()
	}
	if l.Loss > 0 {
		text += fmt.Sprintf(", loss %g", l.Loss)
	}
	return text
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
	switch c.Emulator {
	case "", EmulatorAuto, EmulatorNetem, EmulatorRelay:
	default:
		errs = append(errs, fmt.Errorf("emulator %q: want %s, %s or %s", c.Emulator, EmulatorAuto, EmulatorNetem, EmulatorRelay))
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

// guestNeighbour parses what the hosts must know of the guest.
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
	for _, r := range []struct {
		name string
		rate float64
	}{{"rate", l.Rate}, {"upload", l.Upload}} {
		if r.rate != 0 && (!(r.rate >= 1000) || r.rate > 1e12) { // the negation catches NaN
			bad("%s %g B/s: want 0 (no limit) or 1e3 to 1e12", r.name, r.rate)
		}
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
	for _, d := range []Link{l.up(), l.down()} {
		if len(errs) == 0 && d.limitBytes() > math.MaxUint32 {
			bad("queue %s at %g B/s holds %g B: the kernel takes 4 GiB: make the queue shorter", d.queue(), d.Rate, d.limitBytes())
		}
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
