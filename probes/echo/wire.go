package echo

import (
	"bytes"
	"encoding/binary"
)

// A probe is 24 B and padding: magic, the train's number, the probe's number (big endian).
const headerSize = 24

var magic = []byte("vscope.1")

// encode writes a probe's header.
func encode(b []byte, train, seq uint64) {
	copy(b, magic)
	binary.BigEndian.PutUint64(b[8:], train)
	binary.BigEndian.PutUint64(b[16:], seq)
}

// decode reads a reply. It is false for what is not a reply to this train.
func decode(b []byte, train uint64) (seq uint64, ok bool) {
	if len(b) < headerSize || !bytes.Equal(b[:8], magic) || binary.BigEndian.Uint64(b[8:]) != train {
		return 0, false
	}
	return binary.BigEndian.Uint64(b[16:]), true
}
