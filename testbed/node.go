package testbed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"
	"virtscope/testbed/host"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// A node is a namespace while it is being furnished: its host, a netlink socket and a handle inside it.
type node struct {
	host *host.Netns
	nl   *netlink.Handle
	ns   netns.NsHandle
}

func openNode(h *host.Netns) (*node, error) {
	ns, err := netns.GetFromName(h.Namespace())
	if err != nil {
		return nil, err
	}
	nl, err := netlink.NewHandleAt(ns, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, errors.Join(err, ns.Close())
	}
	return &node{host: h, nl: nl, ns: ns}, nil
}

func (n *node) close(context.Context) error {
	n.nl.Close()
	return n.ns.Close()
}

// settle makes an empty namespace quiet: no IPv6, so no stray neighbour discovery or multicast reports, and
// no packet filter between bridge ports.
func (n *node) settle() error {
	err := n.host.Do(func() error {
		// /proc/sys/net shows the network of the thread that opens it.
		for _, s := range []struct{ name, value string }{
			{"ipv6/conf/all/disable_ipv6", "1"},
			{"ipv6/conf/default/disable_ipv6", "1"},
			{"bridge/bridge-nf-call-iptables", "0"},
			{"bridge/bridge-nf-call-ip6tables", "0"},
			{"bridge/bridge-nf-call-arptables", "0"},
		} {
			err := os.WriteFile(filepath.Join("/proc/sys/net", s.name), []byte(s.value), 0)
			if err != nil && !errors.Is(err, fs.ErrNotExist) { // a kernel without it has nothing to switch off
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	lo, err := n.nl.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find lo: %w", err)
	}
	return n.nl.LinkSetUp(lo)
}

// bridge makes a bridge that is up. The spanning tree is off by default, so ports forward at once, whatever
// the forward delay. A MAC of its own keeps it from changing with its ports.
func (n *node) bridge(name string, mac net.HardwareAddr) (*netlink.Bridge, error) {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.HardwareAddr = name, mac
	snooping := false
	br := &netlink.Bridge{LinkAttrs: attrs, MulticastSnooping: &snooping}
	if err := n.nl.LinkAdd(br); err != nil {
		return nil, fmt.Errorf("make bridge %s: %w", name, err)
	}
	if err := n.nl.LinkSetUp(br); err != nil {
		return nil, fmt.Errorf("set bridge %s up: %w", name, err)
	}
	return br, nil
}

// enslave puts an interface into a bridge and sets it up.
func (n *node) enslave(name string, br *netlink.Bridge) (netlink.Link, error) {
	link, err := n.nl.LinkByName(name)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", name, err)
	}
	if err := n.nl.LinkSetMasterByIndex(link, br.Index); err != nil {
		return nil, fmt.Errorf("put %s into %s: %w", name, br.Name, err)
	}
	if err := n.nl.LinkSetUp(link); err != nil {
		return nil, fmt.Errorf("set %s up: %w", name, err)
	}
	return link, nil
}

// cable makes a veth pair: port here, peer in the other node. A nil mac is a random one.
func (n *node) cable(port string, other *node, peer string, mac net.HardwareAddr) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = port
	veth := &netlink.Veth{LinkAttrs: attrs, PeerName: peer, PeerHardwareAddr: mac, PeerNamespace: netlink.NsFd(other.ns)}
	if err := n.nl.LinkAdd(veth); err != nil {
		return fmt.Errorf("make veth %s to %s: %w", port, peer, err)
	}
	return nil
}

// tune sets how many frames a TAP holds until they are read, and its MAC unless that is nil.
func (n *node) tune(name string, ring int, mac net.HardwareAddr) error {
	link, err := n.nl.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find %s: %w", name, err)
	}
	if err := n.nl.LinkSetTxQLen(link, ring); err != nil {
		return fmt.Errorf("set the queue of %s: %w", name, err)
	}
	if mac == nil {
		return nil
	}
	if err := n.nl.LinkSetHardwareAddr(link, mac); err != nil {
		return fmt.Errorf("set the address of %s: %w", name, err)
	}
	return nil
}

func (n *node) address(link netlink.Link, addr netip.Addr, bits int) error {
	ipnet := &net.IPNet{IP: addr.AsSlice(), Mask: net.CIDRMask(bits, addr.BitLen())}
	if err := n.nl.AddrAdd(link, &netlink.Addr{IPNet: ipnet}); err != nil {
		return fmt.Errorf("add %s to %s: %w", ipnet, link.Attrs().Name, err)
	}
	return nil
}

func (n *node) neighbour(link netlink.Link, addr netip.Addr, mac net.HardwareAddr) error {
	err := n.nl.NeighSet(&netlink.Neigh{
		LinkIndex: link.Attrs().Index, Family: unix.AF_INET, State: netlink.NUD_PERMANENT,
		IP: addr.AsSlice(), HardwareAddr: mac,
	})
	if err != nil {
		return fmt.Errorf("set neighbour %s: %w", addr, err)
	}
	return nil
}

// carrierWait is how long the kernel may take to notice a carrier: a second, if it is slow.
const carrierWait = 5 * time.Second

// waitForCarrier waits until every link but lo and the taps, which nobody has opened yet, is operational.
func (n *node) waitForCarrier(ctx context.Context, taps []string) error {
	ctx, cancel := context.WithTimeout(ctx, carrierWait)
	defer cancel()
	except := map[string]bool{"lo": true}
	for _, tap := range taps {
		except[tap] = true
	}
	for {
		down, err := n.notOperational(except)
		if err != nil || down == "" {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s in %s does not come up: %w", down, n.host.Namespace(), ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
}

// operational are the flags of a link that carries frames.
const operational = unix.IFF_RUNNING | unix.IFF_LOWER_UP

// notOperational names a link that was set up and is not operational.
func (n *node) notOperational(except map[string]bool) (string, error) {
	links, err := n.nl.LinkList()
	if err != nil {
		return "", fmt.Errorf("list links in %s: %w", n.host.Namespace(), err)
	}
	for _, l := range links {
		a := l.Attrs()
		if a.RawFlags&unix.IFF_UP != 0 && a.RawFlags&operational != operational && !except[a.Name] {
			return a.Name, nil
		}
	}
	return "", nil
}
