package testbed

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	// minBurst holds one offloaded super-frame: 64 KiB, and the headers of the frames that it stands for,
	// which tbf counts too. A frame longer than the burst would be cut up before it passes.
	minBurst = 80 << 10
	// burstTime is how late tbf's high-resolution timer may come without costing rate. A burst passes at once,
	// so a longer one would let the last round of a migration outrun the link.
	burstTime = time.Millisecond

	minPackets, maxPackets = 1000, 1_000_000
	smallestFrame          = 60 // B, Ethernet's shortest without its checksum
)

// up is the link as a host sends on it, and down as it receives: Rate is that direction's.
func (l Link) up() Link {
	if l.Upload != 0 {
		l.Rate = l.Upload
	}
	l.Upload = 0
	return l
}

func (l Link) down() Link {
	l.Upload = 0
	return l
}

// emulated is whether the link delays, varies or loses, which takes an emulator.
func (l Link) emulated() bool { return l.Delay > 0 || l.Jitter > 0 || l.Loss > 0 }

func (l Link) queue() time.Duration {
	if l.Queue == 0 {
		return DefaultQueue
	}
	return l.Queue
}

// burstBytes is tbf's bucket.
func (l Link) burstBytes() float64 { return max(minBurst, l.Rate*burstTime.Seconds()) }

// limitBytes is how much tbf holds: what the queue holds, and a burst that waits for its tokens.
func (l Link) limitBytes() float64 { return l.Rate*l.queue().Seconds() + l.burstBytes() }

// netemPackets is how many frames netem must hold so that it drops none of its own accord: all that arrive
// within the longest delay, were they the smallest. tc-netem(8): the default of 1000 is too low for fast links.
func (l Link) netemPackets() uint32 {
	if l.Rate == 0 {
		return maxPackets
	}
	packets := l.Rate * (l.Delay + l.Jitter + l.queue()).Seconds() / smallestFrame
	return uint32(min(max(math.Ceil(packets), minPackets), maxPackets))
}

// qdiscs are what makes a device shape what it sends, in the order in which they are added: netem at the
// root, tbf below it or at the root (as in tc-netem(8), "Rate control").
func (l Link) qdiscs(device int) []netlink.Qdisc {
	var list []netlink.Qdisc
	parent, handle := uint32(netlink.HANDLE_ROOT), netlink.MakeHandle(1, 0)
	if l.emulated() {
		list = append(list, netlink.NewNetem(
			netlink.QdiscAttrs{LinkIndex: device, Parent: parent, Handle: handle},
			netlink.NetemQdiscAttrs{
				Latency: uint32(l.Delay.Microseconds()),
				Jitter:  uint32(l.Jitter.Microseconds()),
				Loss:    float32(l.Loss * 100),
				Limit:   l.netemPackets(),
			}))
		parent, handle = netlink.MakeHandle(1, 1), netlink.MakeHandle(10, 0)
	}
	if l.Rate > 0 {
		rate := uint64(math.Round(l.Rate))
		list = append(list, &netlink.Tbf{
			QdiscAttrs: netlink.QdiscAttrs{LinkIndex: device, Parent: parent, Handle: handle},
			Rate:       rate,
			Limit:      uint32(l.limitBytes()),
			Buffer:     netlink.Xmittime(rate, uint32(l.burstBytes())), // the time that the burst takes, in kernel ticks
		})
	}
	return list
}

// rateOnly is what the kernel shapes of a link that the relay emulates.
func (l Link) rateOnly() Link {
	l.Delay, l.Jitter, l.Loss = 0, 0, 0
	return l
}

// shape makes a device shape what it sends, in place of what it had.
func shape(nl *netlink.Handle, device netlink.Link, l Link) error {
	for _, q := range l.qdiscs(device.Attrs().Index) {
		err := nl.QdiscReplace(q)
		if errors.Is(err, unix.ENOENT) {
			return unknownQdisc(q.Type(), err)
		}
		if err != nil {
			return fmt.Errorf("add %s to %s: %w", q.Type(), device.Attrs().Name, err)
		}
	}
	return nil
}
