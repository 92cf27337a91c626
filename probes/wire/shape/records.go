package shape

import (
	"bytes"
	"virtscope/probes/wire/tcp"
)

// Types of TLS records, and of a handshake message (RFC 8446, sections 4 and 5.1).
const (
	typeHandshake   = 22
	typeApplication = 23
	typeFirst       = 20
	typeLast        = 24
	clientHello     = 1
	serverHello     = 2
)

const (
	headLength = 5
	recordMost = 1<<14 + 2048 // B (RFC 5246, section 6.2.3); TLS 1.3 allows 1<<14 + 256
	byeLength  = 19           // B of a record of TLS 1.3 that holds an alert alone: 2, its type, and 16 of the tag
	wasteMost  = 320          // B that a record of TLS 1.2 may be longer than its content: an IV, a MAC of 48, padding of 256
)

// records follows the headers of TLS records, which are clear. Bodies are passed over.
type records struct {
	on    bool
	hello *hello // reads the server's first message; nil: it is not wanted

	head   [headLength]byte
	have   int
	body   int // B of the record that are left
	length int
	begin  bounds
	lost   bool
	trial  bool // while lost: a header was found, and the next one decides
	missed bool // ever
	shook  bool // the first record was of a handshake
	heads  bool // a header was seen

	count  int64 // of application data
	bytes  int64 // … in their bodies
	waste  int64 // … of which at most so many are no content, where the cipher is not known
	early  int64 // bytes of those records that passed before setupMost had
	earlyN int64
	bye    piece // may be a close_notify of TLS 1.3: known once more comes
	byes   bool
}

// take takes bytes.
func (r *records) take(s *stream, data []byte, at tcp.Stamp) {
	if r.lost {
		s.piece(piece{int64(len(data)), bounds{at, at}, bounds{at, at}, true})
	}
	for len(data) > 0 {
		switch {
		case r.body > 0:
			n := min(r.body, len(data))
			if r.hello != nil && r.head[0] == typeHandshake {
				r.hello.add(data[:n])
			}
			data = data[n:]
			r.body -= n
			r.over(s, bounds{at, at})
		case r.lost && !r.trial:
			data = r.search(data)
		default:
			data = r.header(s, data, at)
		}
	}
}

// header takes bytes of a header.
func (r *records) header(s *stream, data []byte, at tcp.Stamp) []byte {
	if r.have == 0 {
		r.begin = bounds{at, at}
	}
	n := copy(r.head[r.have:], data)
	r.have += n
	data = data[n:]
	if r.have < headLength {
		return data
	}
	r.have = 0
	r.length = int(r.head[3])<<8 | int(r.head[4])
	if r.head[0] < typeFirst || r.head[0] > typeLast || r.head[1] != 3 || r.head[2] > 4 || r.length > recordMost {
		if !r.lost {
			s.piece(piece{headLength, bounds{at, at}, bounds{at, at}, true})
		}
		r.lost, r.missed, r.trial = true, true, false
		return data
	}
	if !r.heads && !r.missed {
		r.shook = r.head[0] == typeHandshake
	}
	r.lost, r.trial, r.heads = false, false, true
	r.body = r.length
	r.over(s, bounds{at, at})
	return data
}

// search looks for the header of a record of application data.
func (r *records) search(data []byte) []byte {
	pattern := [3]byte{typeApplication, 3, 3}
	for len(data) > 0 {
		if r.have == 0 {
			i := bytes.IndexByte(data, typeApplication)
			if i < 0 {
				return nil
			}
			data = data[i:]
		}
		x := data[0]
		data = data[1:]
		if r.have < len(pattern) && x != pattern[r.have] {
			r.have = 0
			if x == typeApplication {
				r.head[0], r.have = x, 1
			}
			continue
		}
		r.head[r.have] = x
		if r.have++; r.have < headLength {
			continue
		}
		r.have = 0
		if n := int(r.head[3])<<8 | int(r.head[4]); n > 0 && n <= recordMost {
			r.trial, r.body = true, n
			return data
		}
	}
	return nil
}

// miss takes bytes that are not captured.
func (r *records) miss(s *stream, n int64, when bounds) {
	if r.lost {
		s.piece(piece{n, when, when, true})
	}
	if r.body > 0 { // it is known what they are
		k := min(int64(r.body), n)
		if r.hello != nil && r.head[0] == typeHandshake {
			r.hello = nil
		}
		r.body -= int(k)
		n -= k
		r.over(s, when)
	}
	if n == 0 {
		return
	}
	if !r.lost {
		s.piece(piece{n, when, when, true})
	}
	r.lost, r.missed, r.trial, r.have = true, true, false, 0
}

// over is called when bytes of a body have passed: if all have, the record is over.
func (r *records) over(s *stream, end bounds) {
	switch {
	case r.body > 0 || r.lost:
		return
	case r.head[0] != typeApplication:
		if r.hello != nil && r.head[0] == typeHandshake {
			r.hello.read()
		}
		s.handshake(end.earliest)
		return
	}
	if r.byes { // it was no farewell
		r.byes = false
		s.piece(r.bye)
	}
	r.count++
	r.bytes += int64(r.length)
	r.waste += int64(min(r.length, wasteMost))
	if s.forward && !s.inference.memory.known {
		r.early += int64(r.length)
		r.earlyN++
	}
	p := piece{int64(r.length), r.begin, end, false}
	if r.length == byeLength {
		r.bye, r.byes = p, true
		return
	}
	s.piece(p)
}
