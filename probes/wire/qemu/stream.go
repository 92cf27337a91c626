package qemu

import "virtscope/probes/wire/tcp"

// A stream cuts one direction's bytes into items for a parser, whatever the calls of Data are cut into.
//
// Its owner sets parse, which is given bytes and consumes one or more items of them. Parse returns how many bytes it
// consumed or, if that is none, how many it needs to go on; what it decides may depend on the bytes alone, never on how
// many there are. It may set skip: so many bytes behind what it consumed pass untouched.
type stream struct {
	parse func(b []byte) (n, need int)
	gap   func(offset, n int64, at tcp.Stamp) // bytes outside skip are lost; the stream has dropped what it held
	end   func(how tcp.End, at tcp.Stamp)
	done  func(at tcp.Stamp) // skip has run out, if not nil

	off  int64 // of the next byte that parse has not consumed and skip has not passed
	skip int64

	carry []byte // bytes that parse was given and did not consume
	marks []mark // whose packets they are
	need  int    // at least so many bytes are wanted in carry

	cur     tcp.Stamp // the packet whose bytes are parsed
	inCarry bool      // parse works on carry
	started bool
	ended   bool
	last    tcp.Stamp // of the last call
}

// A mark says that the bytes of carry before end came with a packet, from the mark before on.
type mark struct {
	end int
	at  tcp.Stamp
}

// Data implements tcp.Consumer.
func (s *stream) Data(offset int64, data []byte, at tcp.Stamp) {
	if s.ended {
		return
	}
	if !s.started {
		s.started, s.off = true, offset
	}
	s.cur, s.last = at, at
	for len(data) > 0 {
		if s.skip > 0 {
			n := min(s.skip, int64(len(data)))
			s.pass(n, at)
			data = data[n:]
			continue
		}
		if len(s.carry) > 0 {
			data = s.refill(data, at)
			continue
		}
		n, need := s.parse(data)
		if n > 0 {
			s.off += int64(n)
			data = data[n:]
			continue
		}
		s.need = need
		s.carry = append(s.carry, data...)
		s.marks = append(s.marks, mark{len(s.carry), at})
		return
	}
}

// pass skips n bytes.
func (s *stream) pass(n int64, at tcp.Stamp) {
	s.off += n
	s.skip -= n
	if s.skip == 0 && s.done != nil {
		s.done(at)
	}
}

// refill moves what parse needs from data to carry, and returns the rest.
func (s *stream) refill(data []byte, at tcp.Stamp) []byte {
	n := min(max(s.need-len(s.carry), 0), len(data))
	if n > 0 {
		s.carry = append(s.carry, data[:n]...)
		s.marks = append(s.marks, mark{len(s.carry), at})
	}
	data = data[n:]
	if len(s.carry) < s.need {
		return data
	}
	s.drain()
	return data
}

// drain parses what is held, as far as that goes.
func (s *stream) drain() {
	s.inCarry = true
	defer func() { s.inCarry = false }()
	from := 0
	for from < len(s.carry) {
		if s.skip > 0 {
			n := min(s.skip, int64(len(s.carry)-from))
			s.pass(n, s.stampCarry(from+int(n)-1))
			from += int(n)
			continue
		}
		s.shift(from)
		n, need := s.parse(s.carry)
		if n == 0 {
			s.need = need
			return
		}
		s.off += int64(n)
		from = n
	}
	s.carry, s.marks, s.need = s.carry[:0], s.marks[:0], 0
}

// shift drops n bytes from the front of carry.
func (s *stream) shift(n int) {
	if n == 0 {
		return
	}
	s.carry = s.carry[:copy(s.carry, s.carry[n:])]
	kept := s.marks[:0]
	for _, m := range s.marks {
		if m.end > n {
			kept = append(kept, mark{m.end - n, m.at})
		}
	}
	s.marks = kept
}

// stamp is the packet of byte i of what parse was given.
func (s *stream) stamp(i int) tcp.Stamp {
	if !s.inCarry {
		return s.cur
	}
	return s.stampCarry(i)
}

func (s *stream) stampCarry(i int) tcp.Stamp {
	for _, m := range s.marks {
		if i < m.end {
			return m.at
		}
	}
	return s.cur
}

// Gap implements tcp.Consumer. A hole inside of what is skipped costs nothing.
func (s *stream) Gap(offset, n int64, at tcp.Stamp) {
	if s.ended || n <= 0 {
		return
	}
	if !s.started {
		s.started, s.off = true, offset
	}
	s.cur, s.last = at, at
	if known := min(s.skip, n); known > 0 {
		s.pass(known, at)
		n -= known
	}
	if n == 0 {
		return
	}
	first := s.off
	lost := int64(len(s.carry)) + n
	s.off += lost
	s.carry, s.marks, s.need = s.carry[:0], s.marks[:0], 0
	s.gap(first, lost, at)
}

// End implements tcp.Consumer.
func (s *stream) End(how tcp.End, at tcp.Stamp) {
	if s.ended {
		return
	}
	s.ended, s.last = true, at
	s.end(how, at)
}
