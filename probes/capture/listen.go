package capture

import (
	"fmt"
	"net"
	"slices"
	"virtscope/testbed/host"

	"golang.org/x/sys/unix"
)

// A Direction says which frames of an interface are captured.
type Direction int

const (
	// Incoming is the frames that the interface receives. On all interfaces of a switch each frame is seen once then: at
	// the port where it came in.
	Incoming Direction = iota
	// Both is also the frames that the machine sends there. On several interfaces of one machine a frame is then seen once
	// at each that it passes, and twice on a loopback; nothing here takes the repetitions out: Frame.Interface and
	// Frame.Outgoing tell them.
	Both
)

// AnyInterface as LiveOptions.Interface is all interfaces, loopbacks among them.
const AnyInterface = "any"

// LiveOptions say what is captured.
type LiveOptions struct {
	// In is the network whose interfaces are captured; nil is that of the process. It must stay what it is only until
	// Open returns.
	In host.Doer
	// Interface is one interface, which must be up and stay up; empty is all but loopbacks; AnyInterface is all. Those
	// that appear later are among all.
	Interface string
	Exclude   []string // interfaces that are not captured, which must exist
	Direction Direction
	// Promiscuous asks the interfaces that exist now, loopbacks left out, for frames to any address until Close.
	Promiscuous bool
	Filter      Filter
	Snap        int // B of each frame at most, whatever Filter says; 0 is no limit: see WholeFrame
	// RingBytes is the memory of each ring, in whole blocks of 64 KiB (if no frame is longer than 4 KiB in the ring) or 1
	// MiB; 0 is DefaultRing. It holds what the kernel captured while nobody read.
	RingBytes int
	// Fanout from 2 on makes as many rings, among which the kernel divides the connections: see Live.Sources. 0 and 1
	// are one ring.
	Fanout int
}

// DefaultRing is the memory of a ring in B. At 20 Gbit/s of whole frames it holds 25 ms.
const DefaultRing = 64 << 20

// WholeFrame is how long a frame may be in a ring of whole frames, in B: a block without its own header. Linux makes
// none that is longer than 512 KiB (GSO_MAX_SIZE of linux/netdevice.h).
const WholeFrame = largeBlock - 4096

// A place is where a live capture listens.
type place struct {
	index    int            // to bind to; 0 is all
	excluded []int          // interfaces that are not captured
	listen   []int          // interfaces that are, without loopbacks
	names    map[int]string // by index
}

// locate finds the interfaces in the calling thread's network.
func (o LiveOptions) locate() (place, error) {
	all, err := net.Interfaces()
	if err != nil {
		return place{}, fmt.Errorf("list interfaces: %w", err)
	}
	p := place{names: make(map[int]string, len(all))}
	several := o.Interface == "" || o.Interface == AnyInterface
	missing := slices.Clone(o.Exclude)
	if !several {
		missing = append(missing, o.Interface)
	}
	for _, i := range all {
		p.names[i.Index] = i.Name
		missing = slices.DeleteFunc(missing, func(name string) bool { return name == i.Name })
		loop := i.Flags&net.FlagLoopback != 0
		switch {
		case slices.Contains(o.Exclude, i.Name), o.Interface == "" && loop:
			p.excluded = append(p.excluded, i.Index)
			continue
		case i.Name == o.Interface:
			p.index = i.Index
		case !several:
			continue
		}
		if !loop {
			p.listen = append(p.listen, i.Index)
		}
	}
	if len(missing) > 0 {
		return place{}, fmt.Errorf("find interfaces %q: they do not exist: ip link shows those that do", missing)
	}
	return p, nil
}

// promiscuous asks interfaces for all frames, until the socket is closed (packet(7), PACKET_ADD_MEMBERSHIP).
func promiscuous(fd int, indexes []int) error {
	for _, index := range indexes {
		request := unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_PROMISC}
		if err := unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &request); err != nil {
			return fmt.Errorf("make interface %d promiscuous: %w", index, err)
		}
	}
	return nil
}
