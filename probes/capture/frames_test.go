package capture

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"virtscope/probes/capture/packet"
)

// A draft is a frame to build. Few values, so that filters match often.
type draft struct {
	link       packet.Link
	dst, src   packet.MAC
	tags       []uint16 // EtherTypes of VLAN tags
	etherType  uint16
	from, to   netip.AddrPort
	protocol   byte
	options    int // words of IPv4 options
	fragment   uint16
	extensions []byte // IPv6 extension headers
	payload    int
	cut        int // B of the frame that are left; -1 is all
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

var (
	testMACs  = []packet.MAC{{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}, {2, 0, 1, 0, 0, 1}, {4, 0, 0, 0, 0, 1}}
	testAddrs = []netip.Addr{
		netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.1.0.1"),
		netip.MustParseAddr("fd00::1"), netip.MustParseAddr("fd00::2"), netip.MustParseAddr("fd00:0:0:1::1"), netip.MustParseAddr("fd01::1"),
	}
	testPorts = []uint16{22, 4444, 4445, 49152, 0xffff}
)

func randomDraft(r *rand.Rand) draft {
	v4 := r.IntN(2) == 0
	addr := func() netip.AddrPort {
		if v4 {
			return netip.AddrPortFrom(pick(r, testAddrs[:3]...), pick(r, testPorts...))
		}
		return netip.AddrPortFrom(pick(r, testAddrs[3:]...), pick(r, testPorts...))
	}
	d := draft{
		link: pick(r, packet.Ethernet, packet.Ethernet, packet.RawIP),
		dst:  pick(r, testMACs...), src: pick(r, testMACs...), from: addr(), to: addr(),
		protocol: pick[byte](r, 6, 6, 6, 6, 17), options: pick(r, 0, 0, 1, 10),
		fragment: pick[uint16](r, 0, 0, 0x4000, 0x2000, 0x2001, 0x1fff), payload: r.IntN(64), cut: -1,
	}
	d.etherType = 0x0800
	if !v4 {
		d.etherType = 0x86dd
	}
	if r.IntN(8) == 0 {
		d.etherType = pick[uint16](r, 0x0806, 0x8035, 0x88b5, 0x86dd, 0x0800)
	}
	for range pick(r, 0, 0, 1, 2, 3) {
		d.tags = append(d.tags, pick[uint16](r, 0x8100, 0x88a8, 0x9100))
	}
	for range pick(r, 0, 0, 1, 2, 3, 4) {
		d.extensions = append(d.extensions, pick[byte](r, 0, 43, 60, 44, 44, 51))
	}
	if r.IntN(3) == 0 {
		d.cut = r.IntN(160)
	}
	return d
}

// build makes the frame's bytes.
func (d draft) build() []byte {
	var f []byte
	be := binary.BigEndian
	if d.link == packet.Ethernet {
		f = append(append(f, d.dst[:]...), d.src[:]...)
		for i, t := range d.tags {
			f = be.AppendUint16(be.AppendUint16(f, t), uint16(100+i))
		}
		f = be.AppendUint16(f, d.etherType)
	}
	if d.from.Addr().Is4() {
		f = append(f, 0x45+byte(d.options), 0, 0, 0, 0, 1)
		f = be.AppendUint16(f, d.fragment)
		f = append(f, 64, d.protocol, 0, 0)
		f = append(append(f, d.from.Addr().AsSlice()...), d.to.Addr().AsSlice()...)
		f = append(f, make([]byte, 4*d.options)...)
	} else {
		types := append(slices.Clone(d.extensions), d.protocol)
		f = append(f, 0x60, 0, 0, 0, 0, 0, types[0], 64)
		f = append(append(f, d.from.Addr().AsSlice()...), d.to.Addr().AsSlice()...)
		for i, t := range d.extensions {
			f = append(f, types[i+1])
			switch t {
			case 44:
				f = be.AppendUint16(append(f, 0), d.fragment<<3|d.fragment>>13)
				f = append(f, 0, 0, 0, 1)
			default:
				f = append(append(f, byte(i)), make([]byte, 6+8*i)...)
			}
		}
	}
	f = be.AppendUint16(be.AppendUint16(f, d.from.Port()), d.to.Port())
	f = append(f, make([]byte, 16+d.payload)...)
	if d.cut >= 0 {
		f = f[:min(d.cut, len(f))]
	}
	return f
}

func randomFilter(r *rand.Rand) Filter {
	f := Filter{ARP: r.IntN(3) == 0, Snap: pick(r, 0, 64, 192)}
	for range r.IntN(5) {
		flow := FlowMatch{Snap: pick(r, 0, 96, 128, 256)}
		if r.IntN(4) > 0 {
			flow.Addr = pick(r, testAddrs...)
		}
		for range r.IntN(3) {
			flow.Ports = append(flow.Ports, pick(r, testPorts...))
		}
		f.Flows = append(f.Flows, flow)
	}
	for range r.IntN(3) {
		mac := pick(r, testMACs...)
		f.MACs = append(f.MACs, net.HardwareAddr(mac[:]))
	}
	return f
}

// expected is what a filter must return for a frame, told without any of the filter's own code.
func expected(f Filter, snap int, link packet.Link, frame []byte) uint32 {
	limit := func(n int) uint64 {
		out := uint64(0xffffffff)
		for _, one := range []int{n, snap} {
			if one > 0 {
				out = min(out, uint64(one))
			}
		}
		return out
	}
	if len(f.Flows) == 0 && len(f.MACs) == 0 && !f.ARP {
		return uint32(limit(0))
	}
	best, ip := uint64(0), frame
	etherType := 0
	if link == packet.Ethernet {
		if len(frame) < 14 {
			return 0
		}
		for _, mac := range f.MACs {
			if string(frame[:6]) == string(mac) || string(frame[6:12]) == string(mac) {
				best = max(best, limit(f.Snap))
			}
		}
		rest, tags := frame[12:], 0
		for len(rest) >= 4 && tags < 2 && slices.Contains([]int{0x8100, 0x88a8, 0x9100}, int(rest[0])<<8|int(rest[1])) {
			rest, tags = rest[4:], tags+1
		}
		if len(rest) < 2 {
			return uint32(best)
		}
		etherType, ip = int(rest[0])<<8|int(rest[1]), rest[2:]
		if f.ARP && (etherType == 0x806 || etherType == 0x8035) {
			best = max(best, limit(f.Snap))
		}
	} else if len(ip) > 0 {
		etherType = map[byte]int{4: 0x800, 6: 0x86dd}[ip[0]>>4]
	}
	from, to, ok := endpoints(etherType, ip)
	if !ok {
		return uint32(best)
	}
	for _, flow := range f.Flows {
		for _, end := range []netip.AddrPort{from, to} {
			if flow.Addr.IsValid() && flow.Addr != end.Addr() || len(flow.Ports) > 0 && !slices.Contains(flow.Ports, end.Port()) {
				continue
			}
			best = max(best, limit(flow.Snap))
		}
	}
	return uint32(best)
}

// endpoints are those of a TCP segment that begins in ip.
func endpoints(etherType int, ip []byte) (from, to netip.AddrPort, ok bool) {
	var src, dst []byte
	var rest []byte
	switch {
	case etherType == 0x800 && len(ip) >= 20:
		size := int(ip[0]%16) * 4
		offset := (int(ip[6])<<8 | int(ip[7])) & 0x1fff
		if ip[9] != 6 || offset != 0 || size < 20 || size > len(ip) {
			return from, to, false
		}
		src, dst, rest = ip[12:16], ip[16:20], ip[size:]
	case etherType == 0x86dd && len(ip) >= 40:
		src, dst, rest = ip[8:24], ip[24:40], ip[40:]
		kind := ip[6]
		for n := 0; kind != 6; n++ {
			if n == 3 || len(rest) < 8 || !slices.Contains([]byte{0, 43, 44, 60}, kind) {
				return from, to, false
			}
			size := 8
			if kind != 44 {
				size += int(rest[1]) * 8
			} else if (int(rest[2])<<8|int(rest[3]))>>3 != 0 {
				return from, to, false
			}
			if size > len(rest) {
				return from, to, false
			}
			kind, rest = rest[0], rest[size:]
		}
	default:
		return from, to, false
	}
	if len(rest) < 4 {
		return from, to, false
	}
	a, _ := netip.AddrFromSlice(src)
	b, _ := netip.AddrFromSlice(dst)
	return netip.AddrPortFrom(a, binary.BigEndian.Uint16(rest)), netip.AddrPortFrom(b, binary.BigEndian.Uint16(rest[2:])), true
}
