package tcp

import "virtscope/probes/capture/packet"

// lateSYN is how many bytes (B) may have been given when SYN turns up: it was captured on another queue.
const lateSYN = 1 << 20

// isAnother reports whether a packet with SYN begins another connection.
func (c *Connection) isAnother(d, o *half, p *packet.Packet) bool {
	if p.Flags&packet.FlagRST != 0 {
		return false
	}
	first := p.Seq + 1
	reply := p.Flags&packet.FlagACK != 0
	switch {
	case d.started && d.base == first:
		return false
	case d.started && !d.stats.SYN:
		back := d.base - first // the bytes between are lost, or come soon
		return back > lateSYN || d.next > lateSYN
	case d.started && reply && d.next == 0 && len(d.queue.list) == 0 && !d.ended:
		return false // a server that keeps no state answers each SYN with another number (SYN cookies, RFC 4987)
	case d.started:
		return true
	case !o.started || o.stats.SYN:
		return false
	case reply:
		return o.base-p.Ack > lateSYN || o.next > lateSYN
	}
	return o.all != nil // payload of the other side can only be of an earlier connection
}

// synchronize takes the numbers of SYN or SYN/ACK.
func (c *Connection) synchronize(dir Direction, p *packet.Packet, vantage int, at Stamp) {
	if p.Flags&packet.FlagRST != 0 {
		return
	}
	d, o := &c.half[dir], &c.half[dir^1]
	reply := p.Flags&packet.FlagACK != 0
	if reply && o.started && o.stats.SYN && o.base != p.Ack {
		if offset := int64(int32(p.Ack - o.base)); offset < 0 || offset > max(o.next, o.all.top()) {
			d.stats.Foreign++ // an answer to another SYN
			return
		}
	}
	c.handshake.onSYN(dir, reply, p.Seq, p.Ack, vantage, at)
	if !d.started || d.next == 0 && len(d.queue.list) == 0 && !d.ended && d.stats.SYN {
		d.start(p.Seq + 1)
	}
	d.stats.SYN = true
	if reply && !o.started {
		o.start(p.Ack) // SYN was not captured
		o.stats.SYN = true
	}
}

// onReset takes RST of direction d.
func (c *Connection) onReset(d, o *half, p *packet.Packet, at Stamp) {
	if !d.resets(o, p) {
		d.stats.Foreign++
		return
	}
	d.stats.RST = true
	d.end(Reset, at)
	if !c.isReset {
		c.isReset, c.reset = true, at
	}
}

// resets reports whether RST is in the receiver's window (RFC 9293, section 3.10.7.4). The window's scale is not known,
// so it is what was acknowledged up to what was sent, and 64 KiB.
func (d *half) resets(o *half, p *packet.Packet) bool {
	if d.started {
		offset := d.next + d.ahead(p.Seq)
		return offset >= min(d.next, d.highest) && offset <= max(d.next, d.all.top(), d.doubt.high)+0xffff
	}
	if p.Seq == 0 && p.Flags&packet.FlagACK != 0 && o.started { // SYN was refused
		offset := o.next + o.ahead(p.Ack)
		return offset >= 0 && offset <= max(o.next, o.all.top())+1
	}
	return !d.known || p.Seq-d.acked <= 0xffff
}

// endReset ends the directions after RST. The other direction's is not ended by RST at once, because its last packets may
// stand behind RST in the capture.
func (c *Connection) endReset() {
	for i := range c.half {
		c.half[i].end(Reset, c.reset)
	}
}
