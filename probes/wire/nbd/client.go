package nbd

import (
	"encoding/binary"
	"virtscope/probes/wire/tcp"
)

const longestName = 4096 // B, doc/proto.md

// A client is what the client sends: its handshake flags, options, then requests.
type client struct {
	*half
	begun    bool
	request  request // the last one
	inside   bool    // its payload passes
	doubtful bool    // its header was found among bytes that made no sense
	header   tcp.Stamp
	startTLS bool // was asked for last
}

// step implements grammar. It tells what comes by its magic, so that it does not depend on what the server says.
func (c *client) step(b []byte, at tcp.Stamp) (want int, ok bool) {
	word := binary.BigEndian.Uint32(b)
	if r, n, ok := parseRequest(b); ok {
		if len(b) < n {
			return n, true
		}
		return 0, c.take(r, at)
	}
	switch {
	case !c.begun && word&^(flagFixed|flagNoZeroes) == 0:
		c.begun, c.session.clientFlags, c.session.flagsKnown = true, word, true
		c.want = 4
		return 0, true
	case word == optionMagic>>32:
		return c.option(b, at)
	case c.startTLS && word>>16 == 0x1603:
		c.session.encrypt(c.half, c.at, at)
		return 0, true
	}
	if !c.begun { // the capture began later: no damage, but a header is to be found
		c.begun, c.session.middle, c.session.partial, c.quiet = true, true, true, true
	}
	return 0, false
}

// option takes an option, with the export's name if it has one.
func (c *client) option(b []byte, at tcp.Stamp) (want int, ok bool) {
	if len(b) < optionLength {
		return optionLength, true
	}
	if binary.BigEndian.Uint64(b) != optionMagic {
		return 0, false
	}
	option, length := binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:])
	if length > maxOption {
		return 0, false
	}
	if !c.begun {
		c.begun, c.session.middle = true, true
	}
	used := optionLength
	switch option {
	case optionExportName:
		if length > longestName {
			return 0, false
		}
		if used += int(length); len(b) < used {
			return used, true
		}
		c.session.name(b[optionLength:])
		c.session.byName = true
	case optionInfo, optionGo:
		if used += 4; length < 4 {
			return 0, false
		}
		if len(b) < used {
			return used, true
		}
		n := binary.BigEndian.Uint32(b[optionLength:])
		if n > longestName || n > length-4 {
			return 0, false
		}
		if used += int(n); len(b) < used {
			return used, true
		}
		c.session.name(b[optionLength+4:])
	}
	c.startTLS = option == optionStartTLS
	c.want = 4
	c.pass(uint64(optionLength+int(length)-used), at)
	return 0, true
}

// take begins a request.
func (c *client) take(r request, at tcp.Stamp) bool {
	s := c.session
	if !r.strict(0, s.mostPayload()) {
		return false
	}
	if !c.begun { // in step all the same
		c.begun = true
		if s.style != oldstyle {
			s.middle, s.partial = true, true
		}
	}
	if c.doubtful && !c.found { // one header led to another
		s.replies.believe(c.request.cookie, &s.ledger)
	}
	c.request, c.inside, c.doubtful, c.header, c.want = r, true, c.found, at, 4
	s.replies.ask(r)
	c.pass(r.payload(), at)
	return true
}

// passed implements grammar. A doubtful request counts only once it was answered, or led to another.
func (c *client) passed(measured bool, at tcp.Stamp) {
	if !c.inside {
		return
	}
	c.inside = false
	s := c.session
	if measured {
		s.replies.sent(c.request.cookie, at)
	}
	if c.doubtful && s.replies.hold(held{c.request, c.header, at}) {
		return
	}
	s.ledger.count(c.request, c.header, at)
}

// find implements grammar.
func (c *client) find(b []byte) (drop, need int) {
	s := c.session
	for i, x := range b {
		if x != requestMagic>>24 && x != extRequestMagic>>24 {
			continue
		}
		if len(b)-i < 4 {
			return i, 4
		}
		r, n, ok := parseRequest(b[i:])
		if ok && (len(b)-i < n || r.strict(s.size, s.mostPayload())) {
			return i, n
		}
	}
	return len(b), 4
}

// lose implements grammar.
func (c *client) lose() { c.inside, c.doubtful, c.begun = false, false, true }
