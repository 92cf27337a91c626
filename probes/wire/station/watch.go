package station

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"virtscope/probes/capture/packet"
	"virtscope/probes/wire/tcp"
)

// A Watch sees every frame of a capture. Its memory does not grow with the capture.
type Watch struct {
	asked    func(packet.MAC, netip.Addr) bool // told by the user; nil: nobody asked
	stations map[packet.MAC]*station
	last     *station
	copies   *copies
	ports    map[string]bool
	port     string     // of the last frame
	still    packet.MAC // a receiver that did not move so far
	forced   map[packet.MAC]bool
	Notify   func(Sign) // called with every sign of a guest as it passes; may be nil
}

// A Sign shows that a guest arrived: a hypervisor announced it, it announced itself from another place than before, or,
// of one that the user named, it sent a frame from another place. Others that seem to move may only be seen at two ports.
type Sign struct {
	MAC  packet.MAC
	Kind string // rarp, garp, frame
	Port string
	At   tcp.Stamp
}

// New makes a Watch. Asked says which stations are guests whatever they do; nil is none.
func New(asked func(packet.MAC, netip.Addr) bool) *Watch {
	return &Watch{asked: asked, stations: map[packet.MAC]*station{}, copies: newCopies(), ports: map[string]bool{}, forced: map[packet.MAC]bool{}}
}

// Frame looks at one frame that passed port.
func (w *Watch) Frame(p *packet.Packet, data []byte, length int, port string, at tcp.Stamp) {
	if p.SrcMAC == (packet.MAC{}) {
		return
	}
	if port != w.port || len(w.ports) == 0 {
		w.port = port
		w.ports[port] = true
	}
	if len(w.ports) > 1 && w.copies.forwarded(data, length, port, at.Time) {
		w.delivered(p, port, at)
		return
	}
	w.delivered(p, port, at)
	s := w.station(p.SrcMAC, at)
	if w.asked != nil && !w.forced[p.SrcMAC] && w.asked(p.SrcMAC, sender(p)) {
		w.forced[p.SrcMAC] = true
	}
	kind := announcementKind(p)
	before := s.at
	s.sent(port, at, kind)
	if s.from != nil && s.mac == w.still {
		w.still = packet.MAC{}
	}
	arrived := before != nil && before != s.at
	if w.Notify != nil && (kind == "rarp" || arrived && (kind == "garp" || w.forced[s.mac])) {
		w.Notify(Sign{MAC: p.SrcMAC, Kind: cmp.Or(kind, "frame"), Port: port, At: at})
	}
}

// delivered notes a frame for a station that passes port: it leaves there, or it entered there, from a sender that is
// never seen elsewhere (see Record).
func (w *Watch) delivered(p *packet.Packet, port string, at tcp.Stamp) {
	if p.DstMAC == w.still { // most frames are for one that did not move
		return
	}
	s, ok := w.stations[p.DstMAC]
	if !ok || s.from == nil {
		w.still = p.DstMAC
		return
	}
	s.got(p.SrcMAC, port, at)
}

func (w *Watch) station(mac packet.MAC, at tcp.Stamp) *station {
	if w.last != nil && w.last.mac == mac {
		return w.last
	}
	s, ok := w.stations[mac]
	if !ok {
		if len(w.stations) >= most {
			w.forget()
		}
		s = &station{mac: mac, seen: at}
		w.stations[mac] = s
	}
	w.last = s
	return s
}

// forget drops the quarter of the stations that were silent for longest.
func (w *Watch) forget() {
	list := slices.SortedFunc(maps.Values(w.stations), func(a, b *station) int {
		switch {
		case a.seen.Time < b.seen.Time:
			return -1
		case a.seen.Time > b.seen.Time:
			return 1
		}
		return 0
	})
	for _, s := range list[:len(list)/4] {
		if !w.forced[s.mac] && len(s.announced) == 0 {
			delete(w.stations, s.mac)
		}
	}
	w.last = nil
}

// announcementKind is how a frame announces its sender; "" if it does not.
func announcementKind(p *packet.Packet) string {
	switch {
	case p.Kind != packet.ARP:
		return ""
	case p.Reverse && p.Operation == reverseRequest && p.SenderMAC == p.SrcMAC:
		return "rarp"
	case !p.Reverse && p.SenderIP == p.TargetIP && p.SenderMAC == p.SrcMAC:
		return "garp"
	}
	return ""
}

// reverseRequest is RARP's request reverse (RFC 903): QEMU announces a guest's address with it.
const reverseRequest = 3

func sender(p *packet.Packet) netip.Addr {
	switch p.Kind {
	case packet.TCP, packet.UDP:
		return p.Src.Addr()
	case packet.ARP:
		return p.SenderIP
	}
	return netip.Addr{}
}
