package testbed

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"time"
	"virtscope/testbed/guest"
)

const (
	switchName = "sw"
	bridgeName = "br0"  // on each host
	uplinkName = "up0"  // on each host
	migName    = "mig0" // on src and dst
	lanBridge  = "lan"  // on the switch
	migBridge  = "mig"  // on the switch
)

// A Config says what to bring up.
type Config struct {
	// RunID is 6 to 8 lower-case hex digits. Every name carries it.
	RunID string
	// Hosts for guests: src, dst, host3 and so on (see HostName), at most MaxHosts. 0 is 2.
	Hosts int
	// Store adds a host called Store, for image servers.
	Store bool
	// Link joins each host to the switch, the client and the store too.
	Link Link
	// MigrationLink, if not nil, joins src and dst by a network of their own.
	MigrationLink *Link
	// GuestNIC is the guest's card. An empty Tap is TapName. With MAC and Address, every host knows the guest's
	// MAC for good, so that an outage is not lengthened by a failed neighbour resolution, wherever the client is.
	GuestNIC guest.NIC
	// Guests are the cards of many guests, in place of GuestNIC: at most MaxGuests, each with a tap, a MAC and an address of
	// its own (see GuestNIC). Every host knows all of them for good.
	Guests []guest.NIC
	// GuestHosts is how many hosts, the first ones, have the taps of Guests. 0 is all.
	GuestHosts int

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
	return errors.Join(append(errs, c.validateHosts(), c.validateGuests())...)
}

func checkRunID(id string) error {
	if !runIDPattern.MatchString(id) {
		return fmt.Errorf("run id %q: want 6 to 8 lower-case hex digits", id)
	}
	return nil
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

// namespaceName is at most 20 bytes.
func namespaceName(runID, node string) string { return "vs-" + runID + "-" + node }
