package offset

import (
	"encoding/binary"
	"net/netip"
	"virtscope/probes/capture/packet"
)

// identify gives what tells a packet from all others, what tells its connection, and which of the two directions it
// has. What routers change is left out; the IPv4 identification and the TCP options (time stamps, above all) tell a
// packet from its repetition.
func identify(p *packet.Packet) (key, flow uint64, first bool) {
	src, dst := end(p.Src), end(p.Dst)
	first = src < dst || src == dst && p.Src.Compare(p.Dst) < 0
	flow = mix(min(src, dst), max(src, dst))
	key = mix(flow, src)
	key = mix(key, uint64(p.Seq)<<32|uint64(p.Ack))
	key = mix(key, uint64(p.PayloadLength)<<32|uint64(p.ID)<<16|uint64(p.Window))
	key = mix(key, uint64(p.Flags))
	options := p.Options
	for ; len(options) >= 8; options = options[8:] {
		key = mix(key, binary.LittleEndian.Uint64(options))
	}
	rest := uint64(len(p.Options))
	for _, b := range options { // at most 7
		rest = rest<<8 | uint64(b)
	}
	return mix(key, rest), flow, first
}

// end hashes an address and a port.
func end(a netip.AddrPort) uint64 {
	ip := a.Addr().As16()
	h := mix(uint64(a.Port()), binary.LittleEndian.Uint64(ip[:8]))
	return mix(h, binary.LittleEndian.Uint64(ip[8:]))
}

// mix hashes v into h with the finalizer of SplitMix64 (G. L. Steele, D. Lea, C. H. Flood: Fast Splittable Pseudorandom
// Number Generators, OOPSLA 2014): its results are spread evenly over all of uint64, and are the same on each machine.
func mix(h, v uint64) uint64 {
	x := h*0x9e3779b97f4a7c15 + v
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
