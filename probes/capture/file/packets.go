package file

import "virtscope/probes/capture"

// enhanced is an enhanced packet block: interface, time, both lengths, data, options.
func (n *ng) enhanced(body []byte) (capture.Frame, error) {
	const fixed = 20
	if len(body) < fixed {
		return capture.Frame{}, n.damage("a packet has %d bytes of the %d of its head", len(body), fixed)
	}
	f, err := n.frame(n.u32(body), n.u64(body[4:]), n.u32(body[12:]), n.u32(body[16:]), body[fixed:])
	if err != nil {
		return capture.Frame{}, err
	}
	if rest := body[fixed+len(f.Data):]; len(rest) > 4+3 { // an option and some padding before it
		err = n.packetOptions(rest[-len(f.Data)&3:], f.Interface)
	}
	return f, err
}

// mostDrops is more than any capture can count: a counter above it is filled with ones, and means nothing.
const mostDrops = 1 << 48

// packetOptions counts the packets that were dropped before one.
func (n *ng) packetOptions(b []byte, number int) error {
	const dropCount = 4
	return n.options(b, func(code uint16, value []byte) {
		if code == dropCount && len(value) >= 8 {
			if v := n.count(value); v <= mostDrops {
				n.file.drops[number].between += int64(v)
			}
		}
	})
}

// packet is an obsolete packet block: like an enhanced one, with a count of drops beside the interface.
func (n *ng) packet(body []byte) (capture.Frame, error) {
	const fixed, unknown = 20, 0xffff
	if len(body) < fixed {
		return capture.Frame{}, n.damage("a packet has %d bytes of the %d of its head", len(body), fixed)
	}
	f, err := n.frame(uint32(n.u16(body)), n.u64(body[4:]), n.u32(body[12:]), n.u32(body[16:]), body[fixed:])
	if err != nil {
		return capture.Frame{}, err
	}
	if dropped := n.u16(body[2:]); dropped != unknown {
		n.file.drops[f.Interface].between += int64(dropped)
	}
	return f, nil
}

// simple is a simple packet block: the length and the data of a frame of the first interface, at no known time.
func (n *ng) simple(body []byte) (capture.Frame, error) {
	const fixed = 4
	if len(body) < fixed {
		return capture.Frame{}, n.damage("a simple packet has %d bytes of the %d of its head", len(body), fixed)
	}
	if len(n.section) == 0 {
		return capture.Frame{}, n.damage("a simple packet has no interface before it")
	}
	port, length := &n.section[0], n.u32(body)
	captured := min(int(length), len(body)-fixed)
	if port.snap > 0 {
		captured = min(captured, port.snap)
	}
	n.file.untimed++
	data := body[fixed : fixed+captured : fixed+captured]
	return capture.Frame{Data: data, Length: int(length), Time: capture.NoTime, Interface: port.number, Link: port.link}, nil
}

// frame makes a frame of a packet's fields.
func (n *ng) frame(id uint32, at uint64, captured, length uint32, data []byte) (capture.Frame, error) {
	if int64(id) >= int64(len(n.section)) {
		return capture.Frame{}, n.damage("a packet is of interface %d, and the section has %d", id, len(n.section))
	}
	if int64(captured) > int64(len(data)) {
		return capture.Frame{}, n.damage("a packet claims %d captured bytes, and its block has %d", captured, len(data))
	}
	if captured > length {
		return capture.Frame{}, n.damage("a packet claims that %d bytes were captured of a frame of %d", captured, length)
	}
	port := &n.section[id]
	ns, ok := port.clock.ns(at)
	if !ok {
		return capture.Frame{}, n.damage("a packet has the time %d in units of interface %d, which is beyond the year 2262", at, id)
	}
	return capture.Frame{Data: data[:captured:captured], Length: int(length), Time: ns, Interface: port.number, Link: port.link}, nil
}

// statistics is an interface statistics block: its counters are totals, so the last one counts.
func (n *ng) statistics(body []byte) error {
	const fixed, ifDrop, osDrop = 12, 5, 7
	if len(body) < fixed {
		return n.damage("statistics have %d bytes of the %d of their head", len(body), fixed)
	}
	id := n.u32(body)
	if int64(id) >= int64(len(n.section)) {
		return n.damage("statistics are of interface %d, and the section has %d", id, len(n.section))
	}
	total, known := int64(0), false
	err := n.options(body[fixed:], func(code uint16, value []byte) {
		if (code == ifDrop || code == osDrop) && len(value) >= 8 {
			v := n.count(value)
			if v > mostDrops {
				return
			}
			total, known = total+int64(v), true
		}
	})
	if d := &n.file.drops[n.section[id].number]; known {
		d.counted, d.known = total, true
	}
	return err
}
