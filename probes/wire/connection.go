package wire

import (
	"net/netip"
	"virtscope/probes/capture/packet"
	"virtscope/probes/wire/nbd"
	"virtscope/probes/wire/tcp"
)

// A connection is one TCP connection of the capture.
type connection struct {
	session        *Session
	client, server netip.AddrPort // client opened it; where that was not seen, it sent the first packet
	began, last    tcp.Stamp
	stream         *tcp.Connection
	toServer       *sniffer
	toClient       *sniffer
	told           bool // it is known what it carries
	ignored        bool // … and it is of no interest
	over           bool // end was called
	closed         int  // directions that ended
	migration      *migration
	channel        string // its name in the migration
	decoder        tcp.Consumer
	swapped        bool   // the "server" is the migration's source: the capture began late
	guess          *guess // its shape is followed
	nbd            *nbd.Session
}

func newConnection(s *Session, client, server netip.AddrPort, at tcp.Stamp) *connection {
	c := &connection{session: s, client: client, server: server, began: at, last: at}
	c.toServer, c.toClient = &sniffer{conn: c}, &sniffer{conn: c}
	c.stream = tcp.New(c.toServer, c.toClient, tcp.Options{Pool: s.pool})
	return c
}

// carries reports whether a packet belongs to the connection.
func (c *connection) carries(p *packet.Packet) bool {
	return p.Src == c.client && p.Dst == c.server || p.Src == c.server && p.Dst == c.client
}

// packet takes a packet; again is true if it opens another connection between the same ports, and was not taken.
func (c *connection) packet(p *packet.Packet, place int, at tcp.Stamp) (again bool) {
	dir := tcp.Forward
	if p.Src != c.client {
		dir = tcp.Reverse
	}
	if c.ignored {
		return c.idle(p, at)
	}
	if c.stream.Packet(dir, p, place, at) {
		return true
	}
	c.last = at
	return false
}

// idle watches a connection of no interest for the one that follows it.
func (c *connection) idle(p *packet.Packet, at tcp.Stamp) (again bool) {
	if p.Flags&(packet.FlagSYN|packet.FlagACK) == packet.FlagSYN && at.Time-c.last.Time > 1e6 {
		return true
	}
	c.last = at
	return false
}

// end is called when the capture ends, or the ports are used again.
func (c *connection) end(at tcp.Stamp) {
	if c.over {
		return
	}
	c.over = true
	c.stream.End(at)
	for dir, s := range map[tcp.Direction]*sniffer{tcp.Forward: c.toServer, tcp.Reverse: c.toClient} {
		if s.content != nil {
			s.content.Last, s.content.Base = c.last.Packet, c.stream.Base(dir)
		}
	}
	if c.nbd != nil {
		c.nbd.End(at)
	}
}

// ended is called by a direction when it ends.
func (c *connection) ended(s *sniffer, how tcp.End, at tcp.Stamp) {
	c.closed++
	c.tell()
	if c.closed == 2 && c.guess != nil {
		c.guess.left(at)
	}
	if c.migration == nil {
		return
	}
	c.migration.ended(c, s == c.reverse(), how, at)
}

// forward is the direction in which the migration's source sends; until it is known, the client's.
func (c *connection) forward() *sniffer {
	if c.swapped {
		return c.toClient
	}
	return c.toServer
}

func (c *connection) reverse() *sniffer {
	if c.swapped {
		return c.toServer
	}
	return c.toClient
}

// source and destination are the ends as forward has them.
func (c *connection) source() netip.AddrPort {
	if c.swapped {
		return c.server
	}
	return c.client
}

func (c *connection) destination() netip.AddrPort {
	if c.swapped {
		return c.client
	}
	return c.server
}

// stats are those of both directions.
func (c *connection) stats() (forward, reverse tcp.Stats) {
	a, b := c.stream.Stats(tcp.Forward), c.stream.Stats(tcp.Reverse)
	if c.swapped {
		return b, a
	}
	return a, b
}

// release lets go of what took the bytes: nothing more of the connection matters.
func (c *connection) release() {
	c.ignored, c.migration, c.decoder = true, nil, nil
	for _, s := range []*sniffer{c.toServer, c.toClient} {
		s.sink, s.to, s.bins = true, nil, nil
		c.session.held -= len(s.held)
		s.held, s.pieces = nil, nil
	}
}

// ignore lets go of everything that was held: nobody wants this connection.
func (c *connection) ignore() {
	c.told, c.ignored = true, true
	c.toServer.deliver(nil)
	c.toClient.deliver(nil)
}
