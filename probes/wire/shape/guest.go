package shape

import "virtscope/probes/wire/tcp"

const mostPorts = 8

// A guest is what was seen of the guest that moves, since the stream began.
type guest struct {
	ports []*port
	begin int64     // of the stream, ns
	clock tcp.Stamp // the latest forward byte
	begun bool
}

// A port is what was seen of the guest there.
type port struct {
	name      string
	before    instant // the last sign before the stream
	first     instant // the first sign since
	kind      string  // its kind
	last      instant // the last frame
	during    instant // the last frame that was not after the latest forward byte
	after     instant // the first sign after the latest forward byte
	afterKind string
	pending   instant // the last frame after it: during, once more bytes pass
	announced bool    // the hypervisor announced the guest after the latest forward byte
	rarp      bool    // … or while bytes still passed
}

// An instant may be unknown.
type instant struct {
	tcp.Stamp
	known bool
}

func (i *instant) earlier(at tcp.Stamp) bool {
	if i.known && at.Time >= i.Time {
		return false
	}
	*i = instant{at, true}
	return true
}

func (i *instant) later(at tcp.Stamp) {
	if !i.known || at.Time > i.Time {
		*i = instant{at, true}
	}
}

func (g *guest) port(name string) *port {
	for _, p := range g.ports {
		if p.name == name {
			return p
		}
	}
	if len(g.ports) == mostPorts {
		return nil
	}
	p := &port{name: name}
	g.ports = append(g.ports, p)
	return p
}

// sign takes a sign. Late ones count as if they had come in time.
func (g *guest) sign(kind, name string, at tcp.Stamp) {
	p := g.port(name)
	if p == nil {
		return
	}
	if !g.begun || at.Time < g.begin {
		p.before.later(at)
		return
	}
	if p.first.earlier(at) {
		p.kind = kind
	}
	frame := kind == "frame"
	if frame {
		p.last.later(at)
	}
	if at.Time <= g.clock.Time {
		p.rarp = p.rarp || kind == "rarp"
		if frame {
			p.during.later(at)
		}
		return
	}
	if p.after.earlier(at) {
		p.afterKind = kind
	}
	p.announced = p.announced || !frame
	if frame {
		p.pending.later(at)
	}
}

// sent notes that a forward byte passes: signs that came before it were not after the latest.
func (g *guest) sent(at tcp.Stamp) {
	if !g.begun {
		g.begun, g.begin, g.clock = true, at.Time, at
	}
	if at.Time <= g.clock.Time {
		return
	}
	g.clock = at
	for _, p := range g.ports {
		if p.pending.known && p.pending.Time <= at.Time {
			p.during.later(p.pending.Stamp)
			p.pending.known = false
		}
		if p.after.known && p.after.Time <= at.Time {
			p.rarp = p.rarp || p.announced
			p.after.known, p.announced = false, false
		}
	}
}

// source is the port where the guest was when the stream began, or was seen first; nil if it was not seen.
func (g *guest) source() *port {
	var best *port
	for _, p := range g.ports {
		switch {
		case best == nil,
			p.before.known && (!best.before.known || p.before.Time > best.before.Time),
			!best.before.known && p.first.known && p.first.Time < best.first.Time:
			best = p
		}
	}
	return best
}

// An arrival is the first sign of the guest at the destination.
type arrival struct {
	at      tcp.Stamp
	known   bool
	other   bool // it came from another port than the source's
	sign    string
	because string // why it is not known
}

// arrival finds the first sign at the destination.
func (g *guest) arrival(source *port) arrival {
	if source == nil {
		return arrival{because: "no sign of the guest was seen"}
	}
	var a arrival
	for _, p := range g.ports {
		if p != source && p.first.known && (!a.known || p.first.Time < a.at.Time) {
			a = arrival{at: p.first.Stamp, known: true, other: true, sign: p.kind + " from port " + p.name}
		}
	}
	switch {
	case a.known && source.last.known && source.last.Time >= a.at.Time:
		return arrival{because: "the guest's frames come from port " + source.name + " still when they come from another: ports do not tell the hosts apart"}
	case a.known:
		return a
	case source.rarp:
		return arrival{because: "the guest was announced while the stream went on, from the port where it was: post-copy, or an earlier move"}
	case source.after.known && source.announced:
		return arrival{at: source.after.Stamp, known: true, sign: source.afterKind + " after the stream"}
	case source.after.known:
		return arrival{because: "the guest's frames come from the same port after the stream, and nothing announced it: the migration may have failed"}
	}
	return arrival{because: "no sign of the guest was seen after the stream"}
}

// contradicts reports whether what was seen of the guest speaks against a migration whose last record begins at end, where
// no arrival is known.
func (g *guest) contradicts(source *port, end tcp.Stamp) bool {
	if source == nil {
		return false
	}
	return len(g.ports) > 1 || source.after.known || source.rarp || source.last.known && source.last.Time > end.Time
}
