package nbd

import (
	"encoding/binary"
	"virtscope/probes/wire/tcp"
)

// Styles of the handshake.
const (
	oldstyle = "oldstyle"
	newstyle = "newstyle"
	fixed    = "fixed"
)

// A server is what the server sends: its greeting, answers to options, then replies.
type server struct {
	*half
	begun  bool
	reply  reply
	inside bool // reply's payload passes
}

// step implements grammar.
func (v *server) step(b []byte, at tcp.Stamp) (want int, ok bool) {
	if !v.begun && binary.BigEndian.Uint32(b) == greetingMagic>>32 {
		return v.greet(b)
	}
	if v.session.byName && v.session.style != "" {
		return v.export(b, at)
	}
	r, n, ok := parseReply(b)
	switch {
	case ok && r.kind&errorBit != 0 && len(b) >= n:
		n += 4 // the error's number is in the payload
		fallthrough
	case ok:
		if len(b) < n {
			return n, true
		}
		return 0, v.take(r, b, at)
	case binary.BigEndian.Uint32(b) == answerMagic>>32:
		return v.answer(b, at)
	}
	if !v.begun { // the capture began later: no damage, but a header is to be found
		v.begun, v.session.middle, v.session.partial, v.quiet = true, true, true, true
	}
	return 0, false
}

// greet takes the greeting.
func (v *server) greet(b []byte) (want int, ok bool) {
	if len(b) < greetingLength {
		return greetingLength, true
	}
	s := v.session
	magic := binary.BigEndian.Uint64(b[8:])
	switch {
	case binary.BigEndian.Uint64(b) != greetingMagic || magic != oldstyleMagic && magic != optionMagic:
		return 0, false
	case magic == oldstyleMagic && len(b) < greetingLength+12+reservedZeroes:
		return greetingLength + 12 + reservedZeroes, true
	case magic == optionMagic && len(b) < greetingLength+2:
		return greetingLength + 2, true
	case magic == oldstyleMagic:
		s.style = oldstyle
		s.sized(binary.BigEndian.Uint64(b[16:]))
	default:
		s.style = newstyle
		if binary.BigEndian.Uint16(b[16:])&flagFixed != 0 {
			s.style = fixed
		}
	}
	v.begun, v.want = true, 4
	return 0, true
}

// export takes the answer to EXPORT_NAME, which has no header.
func (v *server) export(b []byte, at tcp.Stamp) (want int, ok bool) {
	const length = 10
	if len(b) < length {
		return length, true
	}
	s := v.session
	s.byName = false
	s.sized(binary.BigEndian.Uint64(b))
	v.want = 4
	if s.flagsKnown && s.clientFlags&flagNoZeroes == 0 {
		v.pass(reservedZeroes, at)
	}
	return 0, true
}

// answer takes an answer to an option.
func (v *server) answer(b []byte, at tcp.Stamp) (want int, ok bool) {
	if len(b) < answerLength {
		return answerLength, true
	}
	option, kind, length := binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:]), binary.BigEndian.Uint32(b[16:])
	if binary.BigEndian.Uint64(b) != answerMagic || length > maxOption {
		return 0, false
	}
	s := v.session
	used := answerLength
	if kind == answerInfo && length >= 2 {
		if used += int(min(length, 14)); len(b) < used { // 14 B is the longest that is of interest
			return used, true
		}
		v.inform(b[answerLength:used])
	}
	if !v.begun {
		v.begun, s.middle = true, true
	}
	v.want = 4
	v.pass(uint64(answerLength+int(length)-used), at)
	if option == optionStartTLS && kind == answerAck && length == 0 {
		s.encrypt(v.half, v.next, at)
	}
	return 0, true
}

// inform takes what the server tells of the export.
func (v *server) inform(b []byte) {
	s := v.session
	switch kind := binary.BigEndian.Uint16(b); {
	case kind == infoExport && len(b) >= 12:
		s.sized(binary.BigEndian.Uint64(b[2:]))
	case kind == infoBlockSizes && len(b) >= 14:
		s.sizes = [3]uint32{binary.BigEndian.Uint32(b[2:]), binary.BigEndian.Uint32(b[6:]), binary.BigEndian.Uint32(b[10:])}
	}
}

// take begins a reply.
func (v *server) take(r reply, b []byte, at tcp.Stamp) bool {
	s := v.session
	if !r.simple && !r.strict() {
		return false
	}
	if !v.begun {
		v.begun, s.middle, s.partial = true, true, true
	}
	v.reply, v.inside, v.want = r, true, 4
	s.replied(r)
	payload := r.length
	switch {
	case r.simple:
		s.replies.refuse(r.cookie, r.err)
		payload = s.replies.content(r)
	case r.kind&errorBit != 0:
		s.replies.refuse(r.cookie, binary.BigEndian.Uint32(b[len(b)-4:]))
		payload -= 4
	}
	v.pass(payload, at)
	return true
}

// passed implements grammar.
func (v *server) passed(measured bool, at tcp.Stamp) {
	if !v.inside {
		return
	}
	v.inside = false
	if v.reply.simple || v.reply.flags&flagDone != 0 {
		v.session.replies.done(v.reply.cookie, measured, at, &v.session.ledger)
	}
}

// find implements grammar. A reply is believed if its request waits for it, or if the requests are not captured.
func (v *server) find(b []byte) (drop, need int) {
	for i, x := range b {
		if x != simpleMagic>>24 && x != chunkMagic>>24 && x != extChunkMagic>>24 {
			continue
		}
		if len(b)-i < 4 {
			return i, 4
		}
		r, n, ok := parseReply(b[i:])
		if ok && (len(b)-i < n || r.strict() && v.awaited(r)) {
			if r.kind&errorBit != 0 {
				n += 4
			}
			return i, n
		}
	}
	return len(b), 4
}

func (v *server) awaited(r reply) bool {
	if !v.session.client.started {
		return !r.simple
	}
	return v.session.replies.waits(r.cookie)
}

// lose implements grammar.
func (v *server) lose() { v.inside, v.begun, v.session.byName = false, true, false }
