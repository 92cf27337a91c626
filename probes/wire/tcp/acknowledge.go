package tcp

// A doubt is that bytes which the other direction acknowledged are not in the capture.
type doubt struct {
	on        bool
	ack       int64 // offset that the acknowledgement which raised it reaches
	high      int64 // the highest since
	at        Stamp
	packet    int64 // of the connection
	confirmed bool  // by another acknowledgement
	denied    bool  // by a later, lower one
}

// stands reports whether there is a doubt that is not one wrong number alone.
func (t *doubt) stands() bool { return t.on && (t.confirmed || !t.denied) }

// acknowledge takes the other direction's acknowledgement; packets counts the connection's.
func (d *half) acknowledge(ack uint32, at Stamp, packets int64) {
	if !d.started {
		if n := int64(int32(ack - d.acked)); d.known && n > 0 && n <= maxWindow {
			d.stats.Unseen += n
		}
		d.known, d.acked = true, ack
		return
	}
	ahead := d.ahead(ack)
	if ahead <= 0 {
		if ahead >= -maxWindow {
			d.highest = max(d.highest, d.next+ahead)
		}
		if d.doubt.on {
			d.doubt.denied = true
		}
		return
	}
	if ahead > maxWindow {
		return // not counted: after a hole in the capture, each one would be
	}
	d.highest = max(d.highest, min(d.next+ahead, d.all.top())) // a wrong one must not stay
	reached := min(d.next+ahead, d.limit)                      // FIN takes a number too
	switch {
	case reached <= d.next:
	case !d.doubt.on || d.next >= d.doubt.ack:
		d.doubt = doubt{on: true, ack: reached, high: reached, at: at, packet: packets}
	case reached < d.doubt.ack:
		d.doubt.denied = true
	default:
		d.doubt.confirmed = true
		d.doubt.high = max(d.doubt.high, reached)
	}
}

// loneByte reports whether all that is in doubt is one byte at the tail: a FIN, most probably.
func (d *half) loneByte() bool {
	return d.doubt.high == d.next+1 && d.limit == none && len(d.queue.list) == 0
}

// settle gives up what has been in doubt for the margin.
func (d *half) settle(at Stamp, packets int64) {
	switch {
	case !d.doubt.on:
	case d.next >= d.doubt.ack || d.ended:
		d.doubt.on = false
	case at.Time-d.doubt.at.Time < margin && packets-d.doubt.packet < marginPackets:
	case !d.doubt.stands():
		d.doubt.on = false
		d.stats.Foreign++
	case !d.loneByte():
		d.reach(min(d.doubt.ack, d.limit), at)
		d.doubt = doubt{on: d.next < d.doubt.high, ack: d.doubt.high, high: d.doubt.high, at: at, packet: packets}
		d.checkFin()
	}
}
