package shape

import "encoding/binary"

// helloMost is the most of a server's first message that is kept, B: a longer one has its version and cipher in front.
const helloMost = 512

// A hello reads a ServerHello (RFC 5246, section 7.4.1.3; RFC 8446, section 4.1.3).
type hello struct {
	buf     []byte
	done    bool
	version uint16 // 0x0303 is TLS 1.2, 0x0304 is TLS 1.3; 0: not known
	suite   uint16
}

func (h *hello) add(b []byte) {
	if !h.done {
		h.buf = append(h.buf, b[:min(len(b), helloMost-len(h.buf))]...)
	}
}

// read is called at the end of the first handshake record.
func (h *hello) read() {
	if h.done {
		return
	}
	h.done = true
	h.parse(h.buf)
	h.buf = nil
}

func (h *hello) parse(b []byte) {
	const fixed = 4 + 2 + 32 + 1 // type and length, version, random, length of the session id
	if len(b) < fixed || b[0] != serverHello {
		return
	}
	version := binary.BigEndian.Uint16(b[4:])
	b = b[fixed-1:]
	session := int(b[0])
	if len(b) < 1+session+3 {
		return
	}
	b = b[1+session:]
	suite := binary.BigEndian.Uint16(b)
	b = b[3:]
	h.version, h.suite = version, suite
	if len(b) < 2 {
		return
	}
	b = b[2:]
	for len(b) >= 4 {
		kind, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		b = b[4:]
		if n > len(b) {
			return
		}
		const supportedVersions = 43
		if kind == supportedVersions && n == 2 {
			h.version = binary.BigEndian.Uint16(b)
		}
		b = b[n:]
	}
}

// overhead is how much longer than its content a record's body is, B, at least and at most. For the ciphers of TLS 1.2 that pad
// it is a range, as it is where the cipher is not known. Content is what is above the record layer: TLS 1.3 may pad it, and then
// the padding counts as content (GnuTLS and OpenSSL pad only if asked to).
func (h *hello) overhead() (least, most int64) {
	const (
		tls12, tls13 = 0x0303, 0x0304
		inner        = 1 // the content's type (RFC 8446, section 5.2)
		tag, short   = 16, 8
		nonce        = 8 // explicit (RFC 5288, section 3; RFC 6655, section 3)
	)
	s := h.suite
	switch {
	case h.version == tls13 && s == 0x1305:
		return short + inner, short + inner
	case h.version == tls13 && s >= 0x1301 && s <= 0x1304:
		return tag + inner, tag + inner
	case h.version != tls12:
	case s >= 0xcca8 && s <= 0xccae: // ChaCha20-Poly1305 (RFC 7905): no explicit nonce
		return tag, tag
	case s >= 0xc0a0 && s <= 0xc0a3, s >= 0xc0a8 && s <= 0xc0ab, s == 0xc0ae, s == 0xc0af, s == 0xd003: // CCM_8
		return nonce + short, nonce + short
	case s >= 0x009c && s <= 0x00ad, s >= 0xc02b && s <= 0xc032, s == 0xd001, s == 0xd002, // GCM
		s >= 0xc09c && s <= 0xc0af, s == 0xd005: // CCM
		return nonce + tag, nonce + tag
	}
	return 0, wasteMost
}
