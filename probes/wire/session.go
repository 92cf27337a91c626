package wire

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"virtscope/probes/capture"
	"virtscope/probes/capture/packet"
	"virtscope/probes/wire/station"
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

const (
	// mostConnections bounds the memory: those that carry nothing of interest are forgotten first.
	mostConnections = 1 << 14
	poolBytes       = 32 << 20 // of segments out of order, over all connections
	mostHeld        = 16 << 20 // B that wait for it to be told what they are; beyond, what came so far must do
)

// Config says what a Session looks at.
type Config struct {
	Host     string                                   // whose clock stamps the packets
	Guests   bool                                     // look for guests among the stations
	Asked    func(packet.MAC, netip.Addr) bool        // stations that are guests whatever they do; nil: none
	Contents bool                                     // remember where page contents are
	Port     func(source, iface int) string           // names a vantage; nil: one port
	Match    func(client, server netip.AddrPort) bool // connections to look at; nil: all
}

// A Session decodes the frames of a capture, or of several that were merged in the order of their times. Its memory does
// not grow with the capture. It belongs to one goroutine.
type Session struct {
	conf        Config
	rec         results.Recorder
	packet      packet.Packet
	packets     int64
	frames      Counts
	connections map[pair]*connection
	latest      *connection // of the last packet: most follow one of their own
	migrations  []*migration
	streams     int // numbers given
	guesses     []*guess
	pool        *tcp.Pool
	held        int // B that wait for it to be told what they are
	contents    []*Contents
	watch       *station.Watch
	first, last tcp.Stamp
	ports       map[vantage]string
	at          vantage // of the last frame, whose port is atPort
	atPort      string
}

type vantage struct{ source, iface int }

// place numbers the places at which TCP is seen: a packet that passes two of them is not sent again. A cooked capture, of
// the interface "any", holds those of all interfaces: its header tells which (version 2), and whether the packet leaves.
func place(source int, f capture.Frame) int {
	id := source<<16 | f.Interface&0xffff
	switch {
	case f.Link == packet.Cooked2 && len(f.Data) > 10:
		id = id<<32 | int(binary.BigEndian.Uint32(f.Data[4:]))<<1 | leaves(f.Data[10])
	case f.Link == packet.Cooked1 && len(f.Data) > 1:
		id = id<<1 | leaves(f.Data[1])
	}
	return id
}

// leaves is 1 for PACKET_OUTGOING.
func leaves(kind byte) int {
	if kind == 4 {
		return 1
	}
	return 0
}

// Counts say what became of the frames.
type Counts struct {
	Frames      int64 // seen
	Malformed   int64 // of which the headers make no sense
	Unsupported int64 // of a link type that is not known
	Bytes       int64 // captured
	Cut         int64 // frames of which a part only was captured
}

// New makes a Session that gives its records to rec.
func New(c Config, rec results.Recorder) *Session {
	s := &Session{conf: c, rec: rec, connections: map[pair]*connection{}, pool: tcp.NewPool(poolBytes), ports: map[vantage]string{}, at: vantage{-1, -1}}
	if c.Guests {
		s.watch = station.New(c.Asked)
		s.watch.Notify = s.sign
	}
	return s
}

// Frame looks at a frame of a source, in the order of time.
func (s *Session) Frame(source int, f capture.Frame) {
	s.packets++
	at := tcp.Stamp{Time: f.Time, Packet: s.packets}
	if s.packets == 1 {
		s.first = at
	}
	s.last = at
	s.frames.Frames++
	s.frames.Bytes += int64(len(f.Data))
	if len(f.Data) < f.Length {
		s.frames.Cut++
	}
	if f.Link == packet.Unsupported {
		s.frames.Unsupported++
		return
	}
	p := &s.packet
	if err := p.Decode(f.Link, f.Data, f.Length); err != nil {
		s.frames.Malformed++
	}
	stream := p.Kind == packet.TCP && s.segment(p, place(source, f), at)
	if s.watch != nil && !stream { // a host that sends a migration's stream is no guest
		s.watch.Frame(p, f.Data, f.Length, s.port(source, f.Interface), at)
	}
}

func (s *Session) port(source, iface int) string {
	v := vantage{source, iface}
	if v == s.at {
		return s.atPort
	}
	s.at, s.atPort = v, s.name(v)
	return s.atPort
}

// name is the port of a vantage.
func (s *Session) name(v vantage) string {
	name, ok := s.ports[v]
	if !ok {
		if s.conf.Port != nil {
			name = s.conf.Port(v.source, v.iface)
		}
		s.ports[v] = name
	}
	return name
}

// Counts are those so far.
func (s *Session) Counts() Counts { return s.frames }

// First and Last are the times of the first and the last frame.
func (s *Session) First() tcp.Stamp { return s.first }

// Last is the stamp of the last frame; the zero Stamp if there was none.
func (s *Session) Last() tcp.Stamp { return s.last }

// End says that there are no more frames. What is left is recorded.
func (s *Session) End() {
	for _, c := range s.inOrder() {
		c.end(s.last)
	}
	for _, m := range slices.Clone(s.migrations) {
		m.end(s.last)
	}
	for _, g := range slices.Clone(s.guesses) {
		g.end(s.last)
	}
	if s.watch != nil {
		s.watch.Record(s.emit)
	}
}

// emit completes a record and gives it away.
func (s *Session) emit(r results.Record) {
	r.Host, r.Source = s.conf.Host, results.SourceWire
	s.rec.Record(r)
}
