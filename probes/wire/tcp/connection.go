package tcp

import "virtscope/probes/capture/packet"

// A Direction is one of a connection's two.
type Direction uint8

// The directions. Which is which, the caller says; Forward is the first in New.
const (
	Forward Direction = iota
	Reverse
)

// Options bound what a Connection keeps. The zero value is good for one connection.
type Options struct {
	Buffer int   // B a direction may keep out of order, in blocks of 2 KiB at least for a segment; 0 is 8 MiB
	Pool   *Pool // shared by connections of one goroutine; nil makes one that holds both directions' Buffer
}

// margin is how long, in ns of capture time, a byte may be missing in the capture after its acknowledgement passed. An
// ACK may stand before the data that it acknowledges: packets of the two directions come from two queues of a network
// card, each emptied some 64 packets at a time, or from two files whose clocks differ by milliseconds.
// 50 ms is far above that, and costs nothing: order goes on at once when the byte comes. Where the clock stands still,
// or the rate is high, marginPackets of the connection do as well; at the highest rates the buffer is full before.
const (
	margin        = 50e6
	marginPackets = 4096
)

// A Connection puts both directions of a TCP connection (RFC 9293) into order. It is for one goroutine, keeps at most
// Options.Buffer of payload a direction and does not grow with the length of the connection.
//
// A hole is waited for until its bytes come, however late. It is given as a Gap when the other direction acknowledged
// its bytes and the margin (50 ms of capture time, or 4,096 packets) has passed, when the buffer is full, or at the end.
// One byte alone that was acknowledged at the stream's tail is no gap: it is a FIN that was not captured. At the tail of
// a longer hole it cannot be told: then the hole is 1 B too long.
//
// Overlapping copies of a byte are taken for equal: the first is given.
type Connection struct {
	half      [2]half
	handshake handshake
	packets   int64 // of both directions
	reset     Stamp // the packet that reset the connection
	isReset   bool
}

// New makes a Connection whose payload goes to forward and reverse.
func New(forward, reverse Consumer, o Options) *Connection {
	if o.Buffer <= 0 {
		o.Buffer = 8 << 20
	}
	if o.Pool == nil {
		o.Pool = NewPool(2 * o.Buffer)
	}
	return &Connection{half: [2]half{newHalf(forward, o), newHalf(reverse, o)}}
}

// Packet takes a packet of direction dir that was captured at a vantage, an interface or file: any number, the same for
// all its packets. Packets come in the order of capture time, from all vantages together; a second copy that another vantage
// saw is no retransmission. P and its payload are not kept.
//
// It returns true, and ignores p, if p begins another connection with the same addresses and ports: a SYN whose sequence
// number is not this one's. The caller should End this Connection and give p to a new one. A forged SYN looks the same.
func (c *Connection) Packet(dir Direction, p *packet.Packet, vantage int, at Stamp) (another bool) {
	d, o := &c.half[dir], &c.half[dir^1]
	if p.Flags&packet.FlagSYN != 0 && c.isAnother(d, o, p) {
		return true
	}
	c.packets++
	d.seen(at)
	if c.isReset || d.doubt.on || o.doubt.on {
		c.Settle(at)
	}
	seq, synchronizes := p.Seq, p.Flags&packet.FlagSYN != 0
	if synchronizes {
		c.synchronize(dir, p, vantage, at)
		seq++
	}
	if p.Flags&packet.FlagACK != 0 && p.Flags&packet.FlagRST == 0 {
		if c.handshake.state == answered && !synchronizes {
			c.handshake.onACK(dir, p.Ack, vantage, at)
		}
		o.acknowledge(p.Ack, at, c.packets)
	}
	switch {
	case p.Flags&packet.FlagRST != 0: // its payload is a diagnostic, not of the stream
		c.onReset(d, o, p, at)
		return false
	case p.PayloadLength > 0 || len(p.Payload) > 0:
		if !d.segment(seq, p, vantage, at) {
			return false
		}
	case d.started && seq+1 == d.expected() && p.Flags&(packet.FlagSYN|packet.FlagFIN) == 0:
		d.stats.Probes++
	}
	if p.Flags&packet.FlagFIN != 0 {
		d.finish(seq+uint32(max(p.PayloadLength, len(p.Payload))), at)
	}
	return false
}

// Settle gives up what the margin has shown to be missing. Packet does so too; a caller that watches a live connection
// calls it when time passes without packets.
func (c *Connection) Settle(at Stamp) {
	for i := range c.half {
		c.half[i].settle(at, c.packets)
	}
	if c.isReset && at.Time-c.reset.Time >= margin {
		c.endReset()
	}
}

// Closed reports whether both directions have ended: FIN or RST.
func (c *Connection) Closed() bool { return c.half[0].ended && c.half[1].ended }

// End gives up all holes and ends the directions that have not ended. At is where the capture ends. Nothing may
// be given to the Connection after it.
func (c *Connection) End(at Stamp) {
	if c.isReset {
		c.endReset()
	}
	for i := range c.half {
		c.half[i].end(Cut, at)
	}
}

// Stats returns what is known of a direction until now.
func (c *Connection) Stats(dir Direction) Stats { return c.half[dir].total() }

// Base is the sequence number of offset 0 of a direction; 0 if nothing was given yet.
func (c *Connection) Base(dir Direction) uint32 { return c.half[dir].base }
