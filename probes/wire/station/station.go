// Package station watches the senders of frames: which of them is a guest, where it was before and after it moved, when
// it was silent, and which frames were still delivered to its old place.
package station

import (
	"virtscope/probes/capture/packet"
	"virtscope/probes/wire/tcp"
)

const (
	most      = 4096 // stations that are remembered
	mostPorts = 8    // places of one station
)

// A place is what was seen of a station at one port.
type place struct {
	port        string
	first, last tcp.Stamp // frames that came from it here
	frames      int64
	stale       []stale // frames for it that passed here after it had moved away
}

// A stale is frames of one sender.
type stale struct {
	from   packet.MAC
	frames int64
	last   tcp.Stamp
}

const mostSenders = 32

// A station is one sender.
type station struct {
	mac       packet.MAC
	seen      tcp.Stamp // its latest frame, announcements included
	lived     tcp.Stamp // its latest frame that is no announcement
	livedAt   string    // and where
	announced []announcement
	places    []*place
	at        *place    // where it is
	from      *place    // where it was before it moved; nil: it did not
	movedAt   tcp.Stamp // the first frame from its new place, announcements included
	leftAt    tcp.Stamp // the last frame from its old place before that
	firstLive tcp.Stamp // the first frame from its new place, announcements left out; Packet 0: none
	gaps      silences
}

// An announcement is a RARP or a gratuitous ARP of a station for itself.
type announcement struct {
	kind, port string
	at         tcp.Stamp
}

const mostAnnouncements = 64

func (s *station) place(port string) *place {
	for _, p := range s.places {
		if p.port == port {
			return p
		}
	}
	if len(s.places) == mostPorts {
		return nil
	}
	p := &place{port: port}
	s.places = append(s.places, p)
	return p
}

// sent notes a frame of the station that entered at port.
func (s *station) sent(port string, at tcp.Stamp, kind string) {
	s.seen = at
	if s.at != nil && s.at.port == port {
		s.at.frames++
		s.at.last = at
	} else if p := s.place(port); p != nil {
		if p.frames == 0 {
			p.first = at
		}
		p.frames++
		s.move(p, at)
		p.last = at
	}
	if kind != "" {
		if len(s.announced) < mostAnnouncements {
			s.announced = append(s.announced, announcement{kind, port, at})
		}
		return
	}
	if s.lived.Packet != 0 && (at.Time-s.lived.Time > s.gaps.least || port != s.livedAt) {
		s.gaps.add(silence{from: s.lived, to: at, port: s.livedAt, next: port})
	}
	s.lived, s.livedAt = at, port
	if s.from != nil && s.at != nil && port == s.at.port && s.firstLive.Packet == 0 {
		s.firstLive = at
	}
}

// move notes where the station is. One that is back at its old place soon did not move: two ports see it.
func (s *station) move(p *place, at tcp.Stamp) {
	switch {
	case s.at == nil:
		s.at = p
	case p == s.at:
	default:
		s.leftAt = s.at.last
		s.from, s.at, s.movedAt, s.firstLive = s.at, p, at, tcp.Stamp{}
		for _, q := range s.places {
			q.stale = nil
		}
	}
}

// got notes a frame for the station that passed port.
func (s *station) got(from packet.MAC, port string, at tcp.Stamp) {
	if s.from == nil || s.from.port != port || at.Time < s.movedAt.Time {
		return
	}
	for i := range s.from.stale {
		if o := &s.from.stale[i]; o.from == from {
			o.frames++
			o.last = at
			return
		}
	}
	if len(s.from.stale) < mostSenders {
		s.from.stale = append(s.from.stale, stale{from, 1, at})
	}
}

// moved reports whether the station left one place for another, stayed, and announced itself there. The frames of a
// station whose own port is not captured show up at one port and another, too.
func (s *station) moved() bool {
	if s.from == nil || s.from.last.Time >= s.movedAt.Time {
		return false
	}
	for _, a := range s.announced {
		if a.port == s.at.port {
			return true
		}
	}
	return false
}

// only reports whether the station was seen at one port alone.
func (s *station) only(port string) bool { return len(s.places) == 1 && s.places[0].port == port }
