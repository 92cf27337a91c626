package testbed

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"virtscope/testbed/host"
	"virtscope/testbed/relay"
	"virtscope/testbed/undo"
)

// A Testbed is up until Down. Its methods are safe for concurrent use.
type Testbed struct {
	cfg      Config
	emulator string                 // EmulatorNetem or EmulatorRelay; "" if no link needs one
	relay    *relay.Relay           // nil if no link needs it
	hosts    map[string]*host.Netns // and the switch
	undo     undo.Stack

	mu  sync.Mutex // guards cut
	cut map[end]bool
}

// Down kills what runs on the testbed and removes it. It is idempotent; cancelling ctx does not stop it.
func (t *Testbed) Down(ctx context.Context) error {
	if err := t.undo.Run(ctx); err != nil {
		return fmt.Errorf("take down testbed %s: %w", t.cfg.RunID, err)
	}
	return nil
}

// Host returns a guest host, the client or the store by its name. Another name is an error. The testbed closes its hosts.
func (t *Testbed) Host(name string) (*host.Netns, error) {
	h, ok := t.hosts[name]
	if !ok || name == switchName {
		return nil, fmt.Errorf("no host %q: want one of %s", name, strings.Join(t.cfg.hostNames(), ", "))
	}
	return h, nil
}

// GuestHost is the i-th host for guests, from 0: HostName(i). There must be as many.
func (t *Testbed) GuestHost(i int) *host.Netns { return t.hosts[HostName(i)] }

// GuestHosts are the hosts for guests, in order.
func (t *Testbed) GuestHosts() []*host.Netns {
	list := make([]*host.Netns, t.cfg.hosts())
	for i := range list {
		list[i] = t.GuestHost(i)
	}
	return list
}

// Store is the host of image servers; nil without Config.Store.
func (t *Testbed) Store() *host.Netns { return t.hosts[Store] }

// KillHost kills all processes in a host's network at once, whoever started them, and returns when they are gone. The
// network stays, and the host can be used at once. A host that runs nothing is no error.
func (t *Testbed) KillHost(ctx context.Context, name string) error {
	h, err := t.Host(name)
	if err == nil {
		err = killInside(ctx, h.Namespace())
	}
	if err != nil {
		return fmt.Errorf("kill what runs on %s: %w", name, err)
	}
	return nil
}

// Source is the host that a guest boots on.
func (t *Testbed) Source() *host.Netns { return t.hosts[Source] }

// Destination is the host that a guest is migrated to.
func (t *Testbed) Destination() *host.Netns { return t.hosts[Destination] }

// Client is the host that talks to the guest. It has no tap.
func (t *Testbed) Client() *host.Netns { return t.hosts[Client] }

// Switch is the switch as a host: probes capture at its ports.
func (t *Testbed) Switch() *host.Netns { return t.hosts[switchName] }

// SwitchPorts maps the switch's interfaces of the network that the guest is on to the hosts behind them.
func (t *Testbed) SwitchPorts() map[string]string {
	ports := make(map[string]string)
	for _, name := range t.cfg.hostNames() {
		ports[lanPort(name)] = name
	}
	return ports
}

// MigrationPorts maps the switch's interfaces of the migration network to the hosts behind them. Without a
// migration link they are the ports of SwitchPorts.
func (t *Testbed) MigrationPorts() map[string]string {
	if t.cfg.MigrationLink == nil {
		return t.SwitchPorts()
	}
	return map[string]string{migPort(Source): Source, migPort(Destination): Destination}
}

func lanPort(name string) string { return "p-" + name }
func migPort(name string) string { return "m-" + name }

// LanAddr is a host's address on the network that the guest is on; the zero value for a name that no host can have.
func (t *Testbed) LanAddr(name string) netip.Addr { return hostAddr(lanPrefix(), name) }

// MigrationAddr is where src or dst takes migrations: on the migration network, if there is one.
func (t *Testbed) MigrationAddr(name string) netip.Addr {
	if t.cfg.MigrationLink == nil {
		return t.LanAddr(name)
	}
	return hostAddr(migPrefix(), name)
}

// Tap is the name of the guest's tap on each host for guests; empty with Config.Guests.
func (t *Testbed) Tap() string { return t.cfg.GuestNIC.Tap }

// TapPorts maps the taps of a host for guests to the host's name, as a capture of all of them wants it. Exclude are the
// host's other devices, where the same frames pass once more.
func (t *Testbed) TapPorts(name string) (ports map[string]string, exclude []string) {
	ports = make(map[string]string)
	for _, tap := range t.cfg.tapsOf(name) {
		ports[tap] = name
	}
	exclude = []string{bridgeName, uplinkName}
	if t.cfg.MigrationLink != nil && migrates(name) {
		exclude = append(exclude, migName)
	}
	return ports, exclude
}

// SwitchBridges are the bridge devices of the switch: what they carry has passed a port before.
func (t *Testbed) SwitchBridges() []string {
	if t.cfg.MigrationLink == nil {
		return []string{lanBridge}
	}
	return []string{lanBridge, migBridge}
}

// Processes lists, by host, the processes that live in the testbed's namespaces, whoever started them. The frame relay is
// one of the switch's.
func (t *Testbed) Processes() (map[string][]int, error) {
	all := make(map[string][]int)
	for name, h := range t.hosts {
		pids, err := inside(h.Namespace())
		if err != nil {
			return nil, fmt.Errorf("list processes of %s: %w", name, err)
		}
		if len(pids) > 0 {
			all[name] = pids
		}
	}
	return all, nil
}
