package wire

import (
	"virtscope/probes/wire/tcp"
)

// sniffMost is how much of a direction is held back until it is known what it carries: in the middle of a stream, a few
// page records must be seen.
const sniffMost = 64 << 10

// A piece is a part of the held bytes.
type piece struct {
	from int // in held
	n    int
	gap  int64 // > 0: no bytes, a gap
	at   tcp.Stamp
}

// A sniffer holds a direction's first bytes back until the connection is told apart, and passes all on from then.
type sniffer struct {
	conn    *connection
	to      tcp.Consumer // nil: not told apart
	held    []byte
	pieces  []piece
	first   int64 // offset of the first held byte
	ended   *tcp.End
	endAt   tcp.Stamp
	begun   bool
	sink    bool  // nobody wants the rest
	bins    *bins // count the bytes; nil: nobody draws them
	content *Contents
}

// Data implements tcp.Consumer.
func (s *sniffer) Data(offset int64, data []byte, at tcp.Stamp) {
	switch {
	case s.sink:
		return
	case s.to != nil:
		s.pass(offset, data, at)
		return
	case !s.begun:
		s.first, s.begun = offset, true
	}
	// What exceeds the limit waits for the decision that the rest leads to: a frame may hold more than all that is needed.
	s.pieces = append(s.pieces, piece{from: len(s.held), n: len(data), at: at})
	s.held = append(s.held, data...)
	s.conn.session.held += len(data)
	s.conn.tell()
}

// Gap implements tcp.Consumer.
func (s *sniffer) Gap(offset, n int64, at tcp.Stamp) {
	switch {
	case s.sink:
		return
	case s.to != nil:
		s.to.Gap(offset, n, at)
		return
	case !s.begun:
		s.first, s.begun = offset, true
	}
	s.pieces = append(s.pieces, piece{gap: n, at: at})
	s.conn.tell()
}

// End implements tcp.Consumer.
func (s *sniffer) End(how tcp.End, at tcp.Stamp) {
	if s.to != nil {
		s.to.End(how, at)
	}
	s.ended, s.endAt = &how, at
	s.conn.ended(s, how, at)
}

// pass gives bytes on.
func (s *sniffer) pass(offset int64, data []byte, at tcp.Stamp) {
	if s.bins != nil {
		s.bins.add(at.Time, int64(len(data)))
	}
	s.to.Data(offset, data, at)
}

// full reports whether enough was held to tell.
func (s *sniffer) full() bool {
	return len(s.held) >= sniffMost || len(s.pieces) > 4096 || s.ended != nil
}

// headless reports whether the first bytes are missing.
func (s *sniffer) headless() bool { return len(s.pieces) > 0 && s.pieces[0].gap > 0 }

// deliver gives what was held to a consumer, and from now on all. Nil drops it.
func (s *sniffer) deliver(to tcp.Consumer) {
	held, pieces := s.held, s.pieces
	s.conn.session.held -= len(held)
	s.held, s.pieces = nil, nil
	if to == nil {
		s.sink = true
		return
	}
	s.to = to
	offset := s.first
	for _, p := range pieces {
		if p.gap > 0 {
			to.Gap(offset, p.gap, p.at)
			offset += p.gap
			continue
		}
		s.pass(offset, held[p.from:p.from+p.n:p.from+p.n], p.at)
		offset += int64(p.n)
	}
	if s.ended != nil {
		to.End(*s.ended, s.endAt)
	}
}
