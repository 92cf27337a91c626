package testbed

import (
	"context"
	"errors"
	"fmt"
	"virtscope/testbed/host"
	"virtscope/testbed/undo"

	"github.com/vishvananda/netlink"
)

// Up brings up a testbed. It claims the run's id (see Runtime) unless this process has done so. The caller
// ends it with Down. On an error nothing is left; a name that is taken is an error that says how to clean.
func Up(ctx context.Context, cfg Config) (*Testbed, error) {
	return up(ctx, cfg, func(string) error { return nil })
}

// up calls before with each step's name, so that a test can make any step fail.
func up(ctx context.Context, cfg Config, before func(step string) error) (*Testbed, error) {
	if cfg.GuestNIC.Tap == "" && len(cfg.Guests) == 0 {
		cfg.GuestNIC.Tap = TapName
	}
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("bring up the testbed: %w", err)
	}
	emulator, err := cfg.emulator()
	if err == nil && emulator == EmulatorRelay {
		err = cfg.checkRelay()
	}
	if err != nil {
		return nil, fmt.Errorf("bring up the testbed: %w", err)
	}
	b := &builder{
		tb:     &Testbed{cfg: cfg, emulator: emulator, hosts: make(map[string]*host.Netns), cut: make(map[end]bool)},
		nodes:  make(map[string]*node),
		before: before,
	}
	err = b.build(ctx)
	err = errors.Join(err, b.tools.Run(ctx)) // netlink sockets and handles are needed no longer
	if err != nil {
		return nil, fmt.Errorf("bring up the testbed: %w", errors.Join(err, b.tb.undo.Run(ctx)))
	}
	return b.tb, nil
}

type builder struct {
	tb     *Testbed
	nodes  map[string]*node
	tools  undo.Stack
	before func(step string) error
}

// do is one step.
func (b *builder) do(ctx context.Context, step string, f func() error) error {
	err := ctx.Err()
	if err == nil {
		err = b.before(step)
	}
	if err == nil {
		err = f()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", step, err)
	}
	return nil
}

func (b *builder) build(ctx context.Context) error {
	if err := b.do(ctx, "claim run id", b.claim); err != nil {
		return err
	}
	hosts := b.tb.cfg.hostNames()
	for _, name := range append([]string{switchName}, hosts...) {
		if err := b.node(ctx, name); err != nil {
			return err
		}
	}
	if links := b.tb.relayLinks(); len(links) > 0 {
		if err := b.do(ctx, "frame relay", func() error { return b.relay(ctx, links) }); err != nil {
			return err
		}
	}
	lan, err := b.switchBridge(ctx, lanBridge)
	if err != nil {
		return err
	}
	for _, name := range hosts {
		if err := b.do(ctx, "lan of "+name, func() error { return b.lan(name, lan) }); err != nil {
			return err
		}
	}
	for _, name := range hosts {
		taps := b.tb.cfg.tapsOf(name)
		if len(taps) == 0 {
			continue
		}
		if err := b.do(ctx, "tap of "+name, func() error { return b.taps(name, taps) }); err != nil {
			return err
		}
	}
	if b.tb.cfg.MigrationLink != nil {
		mig, err := b.switchBridge(ctx, migBridge)
		if err != nil {
			return err
		}
		for _, name := range []string{Source, Destination} {
			if err := b.do(ctx, "migration link of "+name, func() error { return b.migration(name, mig) }); err != nil {
				return err
			}
		}
	}
	return b.do(ctx, "wait for links", func() error { return b.waitForLinks(ctx) })
}

// waitForLinks waits until frames pass: the kernel notices a carrier by itself, later, and a bridge drops
// what comes in before.
func (b *builder) waitForLinks(ctx context.Context) error {
	for name, n := range b.nodes {
		if err := n.waitForCarrier(ctx, b.tb.cfg.tapsOf(name)); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) claim() error {
	id := b.tb.cfg.RunID
	taken, err := namespacesOf(id)
	if err != nil {
		return err
	}
	if len(taken) > 0 {
		return fmt.Errorf("namespace %s exists: a run with the id %s goes on, or was killed: then remove what it left with virtscope clean", taken[0], id)
	}
	_, release, err := Runtime(id)
	if err != nil {
		return err
	}
	b.tb.undo.Push("release run id "+id, release)
	return nil
}

// node makes a namespace, the host in it and the tools to furnish it.
func (b *builder) node(ctx context.Context, name string) error {
	ns := namespaceName(b.tb.cfg.RunID, name)
	err := b.do(ctx, "namespace "+ns, func() error {
		if err := host.CreateNamespace(ns); err != nil {
			return err
		}
		b.tb.undo.Push("delete namespace "+ns, func(ctx context.Context) error { return host.DeleteNamespace(ctx, ns) })
		b.tb.undo.Push("kill what runs in "+ns, func(ctx context.Context) error { return killInside(ctx, ns) })
		return nil
	})
	if err != nil {
		return err
	}
	err = b.do(ctx, "host "+name, func() error {
		h, err := host.NewNetns(name, ns)
		if err != nil {
			return err
		}
		b.tb.hosts[name] = h
		b.tb.undo.Push("close host "+name, func(context.Context) error { return h.Close() })
		return nil
	})
	if err != nil {
		return err
	}
	return b.do(ctx, "settings of "+name, func() error {
		n, err := openNode(b.tb.hosts[name])
		if err != nil {
			return err
		}
		b.nodes[name] = n
		b.tools.Push("close netlink of "+name, n.close)
		return n.settle()
	})
}

func (b *builder) switchBridge(ctx context.Context, name string) (br *netlink.Bridge, err error) {
	err = b.do(ctx, "switch bridge "+name, func() error {
		br, err = b.nodes[switchName].bridge(name, nil)
		return err
	})
	return br, err
}

// lan gives a host its bridge, its address and its link to the switch.
func (b *builder) lan(name string, lan *netlink.Bridge) error {
	n, sw, link := b.nodes[name], b.nodes[switchName], b.tb.cfg.Link
	// The cable comes before the bridge, so that the numbers of its two ends differ: the kernel takes a veth
	// whose peer has its own number for no link at all, and is a second late to notice its carrier.
	if err := b.join(sw, lanPort(name), n, uplinkName, nil, link); err != nil {
		return err
	}
	br, err := n.bridge(bridgeName, mac(0, name))
	if err != nil {
		return err
	}
	if err := n.address(br, b.tb.LanAddr(name), lanPrefix().Bits()); err != nil {
		return err
	}
	uplink, err := n.enslave(uplinkName, br)
	if err != nil {
		return err
	}
	port, err := sw.enslave(lanPort(name), lan)
	if err != nil {
		return err
	}
	if err := b.shapeBoth(n, uplink, sw, port, link); err != nil {
		return err
	}
	return b.neighbours(n, br, name)
}

// neighbours makes a host know the others, and every guest, for good.
func (b *builder) neighbours(n *node, br netlink.Link, name string) error {
	for _, other := range b.tb.cfg.hostNames() {
		if other == name {
			continue
		}
		if err := n.neighbour(br, b.tb.LanAddr(other), mac(0, other)); err != nil {
			return err
		}
	}
	for _, nic := range b.tb.cfg.guests() {
		if nic.MAC == "" {
			continue
		}
		addr, guestMAC, err := guestNeighbour(nic)
		if err != nil {
			return err
		}
		if err := n.neighbour(br, addr, guestMAC); err != nil {
			return err
		}
	}
	return nil
}

// taps gives a host the guests' taps.
func (b *builder) taps(name string, taps []string) error {
	n := b.nodes[name]
	err := n.host.Do(func() error {
		for _, tap := range taps {
			if err := makeTap(tap, true); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	br, err := n.nl.LinkByName(bridgeName)
	if err != nil {
		return err
	}
	for _, tap := range taps {
		if _, err := n.enslave(tap, &netlink.Bridge{LinkAttrs: *br.Attrs()}); err != nil {
			return err
		}
	}
	return nil
}

// migration gives a host its link to the migration network.
func (b *builder) migration(name string, mig *netlink.Bridge) error {
	n, sw := b.nodes[name], b.nodes[switchName]
	shape := *b.tb.cfg.MigrationLink
	if err := b.join(sw, migPort(name), n, migName, mac(1, name), shape); err != nil {
		return err
	}
	link, err := n.nl.LinkByName(migName)
	if err != nil {
		return err
	}
	if err := n.address(link, b.tb.MigrationAddr(name), migPrefix().Bits()); err != nil {
		return err
	}
	if err := n.nl.LinkSetUp(link); err != nil {
		return err
	}
	port, err := sw.enslave(migPort(name), mig)
	if err != nil {
		return err
	}
	if err := b.shapeBoth(n, link, sw, port, shape); err != nil {
		return err
	}
	other := Source
	if name == Source {
		other = Destination
	}
	return n.neighbour(link, b.tb.MigrationAddr(other), mac(1, other))
}
