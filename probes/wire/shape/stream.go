package shape

import "virtscope/probes/wire/tcp"

// A stream is one direction of one connection.
type stream struct {
	inference *Inference
	forward   bool
	records   records
	content   content
	data      tcp.Stamp // of the last byte that was captured
	captured  bool
	how       tcp.End
	end       tcp.Stamp
}

// A piece carries a part of the migration: a TLS record of application data, or a segment. It is known within bounds when
// it began and ended, as bytes may be missing.
type piece struct {
	n     int64
	begin bounds
	end   bounds
	vague bool // it may be no part of the migration, but what closes a channel
}

// bounds are when something was at the earliest and at the latest.
type bounds struct{ earliest, latest tcp.Stamp }

// content is what is kept of a stream's pieces.
type content struct {
	any  bool
	last piece
}

// memory is when the first page passed: after what is no content, and before more content has passed than a set-up has.
type memory struct {
	before tcp.Stamp // the last handshake record
	first  tcp.Stamp // content
	passed int64     // B of content, up to setupMost
	latest tcp.Stamp
	known  bool
}

// setupMost is how much goes before the first page, B: the configuration, the list of RAM blocks, a client's certificates.
const setupMost = 64 << 10

// Data implements tcp.Consumer.
func (s *stream) Data(_ int64, data []byte, at tcp.Stamp) {
	if len(data) == 0 {
		return
	}
	s.inference.passed(s, int64(len(data)), at)
	if s.records.on {
		s.records.take(s, data, at)
	} else {
		s.piece(piece{int64(len(data)), bounds{at, at}, bounds{at, at}, false})
	}
	s.data, s.captured = at, true
}

// Gap implements tcp.Consumer.
func (s *stream) Gap(_, n int64, at tcp.Stamp) {
	if n <= 0 {
		return
	}
	s.inference.passed(s, n, at)
	// They passed after the last that was captured, and not after the packet that shows it.
	missing := bounds{s.before(at), at}
	if s.records.on {
		s.records.miss(s, n, missing)
		return
	}
	s.piece(piece{n, missing, missing, false})
}

// before is when bytes that are not captured can have passed at the earliest.
func (s *stream) before(at tcp.Stamp) tcp.Stamp {
	switch {
	case !s.captured:
		return s.inference.begin
	case s.data.Time > at.Time:
		return at
	}
	return s.data
}

// piece takes a piece of content.
func (s *stream) piece(p piece) {
	s.content.any, s.content.last = true, p
	m := &s.inference.memory
	if !s.forward && m.known {
		s.inference.answered.earlier(p.begin.earliest)
	}
	if !s.forward || m.known {
		return
	}
	if m.passed == 0 {
		m.first = p.begin.earliest
	}
	if m.passed += p.n; m.passed >= setupMost {
		m.known, m.latest = true, p.end.latest
	}
}

// handshake takes a record that is no content.
func (s *stream) handshake(at tcp.Stamp) {
	if m := &s.inference.memory; s.forward && m.passed == 0 {
		m.before = at
	}
}

// End implements tcp.Consumer.
func (s *stream) End(how tcp.End, at tcp.Stamp) { s.how, s.end = how, at }
