package capture

import (
	"errors"
	"fmt"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// maxFanout is how many sockets Linux takes in a group unless told otherwise (PACKET_FANOUT_MAX of
// net/packet/internal.h).
const maxFanout = 256

// fanOut opens n rings among which the kernel divides the frames by a hash of the connection. Both directions of a
// connection have the same hash and land in the same ring: fanout_demux_hash of net/packet/af_packet.c takes
// __skb_get_hash_symmetric (Linux 4.2 and newer), which orders the two endpoints before it hashes. Frames that are not
// IP are divided by what the kernel's flow dissector finds in them; fragments by addresses alone.
//
// PACKET_FANOUT_FLAG_ROLLOVER is left out on purpose: it moves frames of a full ring to another, out of their order. A
// drop that is counted is better than an order that is wrong.
func fanOut(n, index int, s shape, program []bpf.Instruction) (rings []*ring, err error) {
	defer func() {
		if err == nil {
			return
		}
		for _, r := range rings {
			err = errors.Join(err, r.Close())
		}
		rings = nil
	}()
	// While the group grows, connections change rings: nothing passes until it is complete.
	id := 0
	for i := range n {
		r, err := newRing(index, s, nothing(), Both)
		if err != nil {
			return rings, fmt.Errorf("open ring %d of %d: %w", i+1, n, err)
		}
		rings = append(rings, r)
		if id, err = r.join(id, i == 0); err != nil {
			return rings, fmt.Errorf("fan out to ring %d of %d: %w", i+1, n, err)
		}
	}
	for _, r := range rings {
		if err := attach(r.fd, program); err != nil {
			return rings, err
		}
	}
	return rings, nil
}

// join enters a fan-out group, or makes one. It returns the group's id.
func (r *ring) join(id int, first bool) (int, error) {
	flags := unix.PACKET_FANOUT_HASH
	if first { // the kernel gives an id that no other program has
		flags |= unix.PACKET_FANOUT_FLAG_UNIQUEID
	}
	if err := unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_FANOUT, id|flags<<16); err != nil {
		return 0, fmt.Errorf("join group of packet sockets: %w", err)
	}
	got, err := unix.GetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_FANOUT)
	if err != nil {
		return 0, fmt.Errorf("read group of packet sockets: %w", err)
	}
	return got & 0xffff, nil
}
