package station

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"virtscope/probes/capture/packet"
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// mostTold is how many silences of a guest are recorded: the longest, and those in which it moved.
const mostTold = 12

// Record gives what was seen of the guests: stations that a hypervisor announced (RARP), that left one port for another and
// announced themselves there, or that the user named. Emit completes and takes the records.
func (w *Watch) Record(emit func(results.Record)) {
	list := slices.SortedFunc(maps.Values(w.stations), func(a, b *station) int {
		return cmp.Compare(MACString(a.mac), MACString(b.mac))
	})
	for _, s := range list {
		if how := w.guest(s); how != "" {
			w.record(s, how, emit)
		}
	}
}

// guest says why a station is a guest; "" if it is none.
func (w *Watch) guest(s *station) string {
	if w.forced[s.mac] {
		return "asked"
	}
	for _, a := range s.announced {
		if a.kind == "rarp" {
			return "announced"
		}
	}
	if s.moved() {
		return "moved"
	}
	return ""
}

func (w *Watch) record(s *station, how string, emit func(results.Record)) {
	give := func(at tcp.Stamp, name string, value float64, u results.Unit, attrs ...string) {
		m := map[string]string{"mac": MACString(s.mac)}
		for i := 0; i+1 < len(attrs); i += 2 {
			m[attrs[i]] = attrs[i+1]
		}
		emit(results.Record{Time: at.Time, Name: name, Value: value, Unit: u, Attrs: m})
	}
	begin := s.seen
	switch {
	case s.moved():
		begin = s.movedAt
	case len(s.announced) > 0:
		begin = s.announced[0].at
	}
	give(begin, results.WireGuest, 0, results.Event, "how", how)
	for _, a := range s.announced {
		give(a.at, results.WireGuestAnnounce, 0, results.Event, "kind", a.kind, "port", a.port)
	}
	for _, g := range s.told() {
		give(g.from, results.WireGuestSilence, float64(g.length())/1e9, results.Seconds, "port", g.port, "next", g.next)
	}
	if !s.moved() {
		return
	}
	give(s.leftAt, results.WireGuestLast, 0, results.Event, "port", s.from.port)
	if s.firstLive.Packet != 0 {
		give(s.firstLive, results.WireGuestFirst, 0, results.Event, "port", s.at.port)
	}
	if frames, last := w.stale(s); frames > 0 {
		give(last, results.WireGuestStale, float64(last.Time-s.movedAt.Time)/1e9, results.Seconds,
			"port", s.from.port, "frames", strconv.FormatInt(frames, 10))
	}
}

// stale is the frames for a guest that were still delivered to its old port. Those of senders that are seen nowhere else
// entered there.
func (w *Watch) stale(s *station) (frames int64, last tcp.Stamp) {
	for _, o := range s.from.stale {
		if sender, ok := w.stations[o.from]; ok && sender.only(s.from.port) {
			continue
		}
		frames += o.frames
		if o.last.Time > last.Time {
			last = o.last
		}
	}
	return frames, last
}

// told is the silences that are recorded, by their begin.
func (s *station) told() []silence {
	list := slices.Clone(s.gaps.list)
	slices.SortFunc(list, func(a, b silence) int { return cmp.Compare(b.length(), a.length()) })
	kept := 0
	list = slices.DeleteFunc(list, func(g silence) bool {
		kept++
		return kept > mostTold && g.port == g.next
	})
	slices.SortFunc(list, func(a, b silence) int { return cmp.Compare(a.from.Time, b.from.Time) })
	return list
}

// MACString is a MAC as it is usually written.
func MACString(m packet.MAC) string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5])
}

// A Guest is what was seen of a guest.
type Guest struct {
	MAC       packet.MAC
	Announced []Sign    // in the order of time
	Moved     bool      // it left one port for another: the fields below are valid
	Left      tcp.Stamp // its last frame from OldPort
	OldPort   string
	First     tcp.Stamp // its first frame from NewPort that is no announcement; Packet 0: none
	NewPort   string
}

// Guests are those of Record.
func (w *Watch) Guests() []Guest {
	var list []Guest
	for _, s := range w.stations {
		if w.guest(s) == "" {
			continue
		}
		g := Guest{MAC: s.mac, Moved: s.moved()}
		for _, a := range s.announced {
			g.Announced = append(g.Announced, Sign{MAC: s.mac, Kind: a.kind, Port: a.port, At: a.at})
		}
		if g.Moved {
			g.Left, g.OldPort, g.First, g.NewPort = s.leftAt, s.from.port, s.firstLive, s.at.port
		}
		list = append(list, g)
	}
	return list
}
