package testbed

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
	"virtscope/testbed/relay"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// SuperFrameRate in B/s is where the relay begins to take super-frames: a link of more, or without a limit, in either
// direction has them. Single frames of a faster link would take the CPU that the subject needs (docs/links.md).
const SuperFrameRate = 31.25e6

const (
	// unlimitedMemory is what the relay holds of a link without a rate, in B each direction.
	unlimitedMemory = 64 << 20
	// What a TAP holds until the relay reads it, in frames: a fifth of a second of the fastest link of single frames, and
	// 64 MiB of super-frames.
	frameRing, superFrameRing = 5000, 1000
)

// emulator is what emulates this configuration's links: EmulatorNetem or EmulatorRelay, "" if none needs it.
func (c Config) emulator() (string, error) {
	emulated := c.Link.emulated() || c.MigrationLink != nil && c.MigrationLink.emulated()
	switch {
	case !emulated:
		return "", nil
	case c.Emulator == EmulatorNetem || c.Emulator == EmulatorRelay:
		return c.Emulator, nil
	}
	err := host.InScratchNamespace(tryNetem)
	var missing *guest.NotSupportedError
	switch {
	case err == nil:
		return EmulatorNetem, nil
	case errors.As(err, &missing):
		return EmulatorRelay, nil
	default:
		return "", fmt.Errorf("find out whether the kernel has netem: %w", err)
	}
}

// tryNetem runs in a scratch namespace.
func tryNetem() error {
	nl, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("open netlink: %w", err)
	}
	defer nl.Close()
	return tryLink(nl, "netem", Link{Loss: 1})
}

// superFrames is whether the relay takes super-frames on the link.
func (l Link) superFrames() bool {
	for _, d := range []Link{l.up(), l.down()} {
		if d.Rate == 0 || d.Rate > SuperFrameRate {
			return true
		}
	}
	return false
}

// relayMemory is what the relay may hold of one direction: all that may come within the longest delay and as long as the
// relay itself may be late, and a burst; twice, since a frame takes up to twice its length there (60 B take 64, 65 take 128).
func (l Link) relayMemory() float64 {
	if l.Rate == 0 {
		return unlimitedMemory
	}
	within := l.Delay + l.Jitter + l.queue()
	return max(relay.MinMemory, 2*(l.Rate*within.Seconds()+l.burstBytes()))
}

// relayLink is a host's end of a link for the relay: A is the host, B the switch.
func (l Link) relayLink(name string, a, b relay.Port, seed uint64) relay.Link {
	return relay.Link{
		Name: name, A: a, B: b, Delay: l.Delay, Jitter: l.Jitter, Loss: l.Loss, Seed: seed, Offload: l.superFrames(),
		MemoryAB: int64(l.up().relayMemory()), MemoryBA: int64(l.down().relayMemory()),
	}
}

// checkRelay says what keeps the relay from emulating the links.
func (c Config) checkRelay() error {
	var errs []error
	if len(c.RelayCommand) == 0 {
		errs = append(errs, errors.New("emulate links with the frame relay: its command is not set"))
	}
	links := map[string]Link{"link": c.Link}
	if c.MigrationLink != nil {
		links["migration link"] = *c.MigrationLink
	}
	for what, l := range links {
		for _, d := range []Link{l.up(), l.down()} {
			if m := d.relayMemory(); l.emulated() && m > relay.MaxMemory {
				errs = append(errs, fmt.Errorf("%s: %g B/s over %s hold up to %.0f B: the frame relay takes at most %d B: make the delay, the queue or the rate smaller",
					what, d.Rate, d.Delay+d.Jitter+d.queue(), m, relay.MaxMemory))
				break
			}
		}
	}
	return errors.Join(errs...)
}

// relayLinks are the links of this testbed that the relay carries.
func (t *Testbed) relayLinks() []relay.Link {
	seed := t.cfg.Seed
	if seed == 0 {
		seed = rand.Uint64()
	}
	var list []relay.Link
	for _, e := range t.ends() {
		if t.relayed(e.link) {
			list = append(list, e.link.relayLink(e.name, e.hostPort(t), e.switchPort(t), seed+uint64(len(list))))
		}
	}
	return list
}

func (t *Testbed) relayed(l Link) bool { return t.emulator == EmulatorRelay && l.emulated() }

// kernelPart is what the kernel's queueing disciplines do of a link.
func (t *Testbed) kernelPart(l Link) Link {
	if t.relayed(l) {
		return l.rateOnly()
	}
	return l
}

// An end is where a host hangs on the switch.
type end struct {
	name   string // LinkName or MigrationLinkName
	host   string
	device string // at the host
	port   string // at the switch
	link   Link
}

// Names of links, for Cut and in records.
const (
	LinkName          = "link"
	MigrationLinkName = "migration-link"
)

func (t *Testbed) ends() []end {
	var list []end
	for _, name := range t.cfg.hostNames() {
		list = append(list, end{LinkName, name, uplinkName, lanPort(name), t.cfg.Link})
	}
	if t.cfg.MigrationLink != nil {
		for _, name := range []string{Source, Destination} {
			list = append(list, end{MigrationLinkName, name, migName, migPort(name), *t.cfg.MigrationLink})
		}
	}
	return list
}

func (e end) hostPort(t *Testbed) relay.Port   { return t.relayPort(e.host, e.device) }
func (e end) switchPort(t *Testbed) relay.Port { return t.relayPort(switchName, e.port) }

func (t *Testbed) relayPort(node, device string) relay.Port {
	return relay.Port{Namespace: filepath.Join(host.NamespaceDir, namespaceName(t.cfg.RunID, node)), Name: device}
}
