package wire

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"virtscope/probes/capture/packet"
	"virtscope/probes/wire/tcp"
)

// A pair is the two ends of a connection, the lesser first.
type pair struct{ a, b netip.AddrPort }

func pairOf(p *packet.Packet) pair {
	if p.Src.Compare(p.Dst) < 0 {
		return pair{p.Src, p.Dst}
	}
	return pair{p.Dst, p.Src}
}

// segment gives a TCP packet to its connection, and reports whether it is a part of a stream that is decoded.
func (s *Session) segment(p *packet.Packet, place int, at tcp.Stamp) (stream bool) {
	c := s.latest
	if c == nil || !c.carries(p) {
		if c = s.find(p, at); c == nil {
			return false
		}
		s.latest = c
	}
	if again := c.packet(p, place, at); again {
		c.end(at)
		c = s.open(pairOf(p), p, at)
		s.latest = c
		c.packet(p, place, at)
	}
	return c.migration != nil
}

func (s *Session) find(p *packet.Packet, at tcp.Stamp) *connection {
	key := pairOf(p)
	if c, ok := s.connections[key]; ok {
		return c
	}
	if s.conf.Match != nil && !s.conf.Match(p.Src, p.Dst) && !s.conf.Match(p.Dst, p.Src) {
		return nil
	}
	if p.PayloadLength == 0 && p.Flags&packet.FlagSYN == 0 {
		return nil // the tail of a connection that is over
	}
	return s.open(key, p, at)
}

func (s *Session) open(key pair, p *packet.Packet, at tcp.Stamp) *connection {
	if len(s.connections) >= mostConnections {
		s.forget()
	}
	client, server := p.Src, p.Dst
	if p.Flags&(packet.FlagSYN|packet.FlagACK) == packet.FlagSYN|packet.FlagACK {
		client, server = server, client
	}
	c := newConnection(s, client, server, at)
	s.connections[key] = c
	return c
}

// forget drops connections that are over or carry nothing of interest, the longest silent first.
func (s *Session) forget() {
	list := s.inOrder()
	slices.SortStableFunc(list, func(a, b *connection) int { return cmp.Compare(a.last.Time, b.last.Time) })
	dropped := 0
	for _, boring := range []bool{true, false} {
		for _, c := range list {
			if dropped >= mostConnections/4 {
				return
			}
			if c.over || boring != c.ignored {
				continue
			}
			if boring || c.migration == nil {
				c.end(c.last)
				s.drop(c)
				dropped++
			}
		}
	}
}

func (s *Session) drop(c *connection) {
	delete(s.connections, pairOf(&packet.Packet{Src: c.client, Dst: c.server}))
	if s.latest == c {
		s.latest = nil
	}
}

// inOrder lists the connections as they began.
func (s *Session) inOrder() []*connection {
	return slices.SortedFunc(maps.Values(s.connections), func(a, b *connection) int {
		return cmp.Compare(a.began.Packet, b.began.Packet)
	})
}
