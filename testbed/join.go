package testbed

import (
	"context"
	"net"
	"virtscope/testbed/relay"

	"github.com/vishvananda/netlink"
)

// join makes the two ends of a link: a veth pair, or the relay's devices, which are there already. A nil mac is a random
// one.
func (b *builder) join(sw *node, port string, n *node, device string, mac net.HardwareAddr, l Link) error {
	if !b.tb.relayed(l) {
		return sw.cable(port, n, device, mac)
	}
	ring := frameRing
	if l.superFrames() {
		ring = superFrameRing
	}
	if err := sw.tune(port, ring, nil); err != nil {
		return err
	}
	return n.tune(device, ring, mac)
}

// relay starts the process that carries the frames of emulated links. It lives in the switch's namespace, so that it is
// found there when a run was killed.
func (b *builder) relay(ctx context.Context, links []relay.Link) error {
	r, err := relay.Start(ctx, b.tb.Switch(), b.tb.cfg.RelayCommand, links)
	if err != nil {
		return err
	}
	b.tb.relay = r
	b.tb.undo.Push("end the frame relay", r.Close)
	return nil
}

// shapeBoth shapes what the host sends and what the switch sends to it.
func (b *builder) shapeBoth(n *node, device netlink.Link, sw *node, port netlink.Link, l Link) error {
	kernel := b.tb.kernelPart(l)
	if err := shape(n.nl, device, kernel.up()); err != nil {
		return err
	}
	return shape(sw.nl, port, kernel.down())
}
