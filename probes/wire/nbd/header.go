package nbd

import (
	"encoding/binary"
	"math"
)

// A request is the header of one.
type request struct {
	extended     bool
	flags        uint16
	command      command
	cookie       uint64
	from, length uint64
}

// parseRequest reads a request's header. N is its length, also if b is too short for it: then only the magic was looked at.
// Ok is false if b, as far as it goes, does not begin one.
func parseRequest(b []byte) (r request, n int, ok bool) {
	if len(b) < 4 {
		return r, requestLength, false
	}
	switch binary.BigEndian.Uint32(b) {
	case requestMagic:
		n = requestLength
	case extRequestMagic:
		n, r.extended = extRequestLength, true
	default:
		return r, 0, false
	}
	if len(b) < n {
		return r, n, true
	}
	r.flags = binary.BigEndian.Uint16(b[4:])
	r.command = command(binary.BigEndian.Uint16(b[6:]))
	r.cookie = binary.BigEndian.Uint64(b[8:])
	r.from = binary.BigEndian.Uint64(b[16:])
	if r.extended {
		r.length = binary.BigEndian.Uint64(b[24:])
	} else {
		r.length = uint64(binary.BigEndian.Uint32(b[24:]))
	}
	return r, n, true
}

// payload is how many bytes follow the header.
func (r request) payload() uint64 {
	if r.command == cmdWrite || r.extended && r.flags&flagPayload != 0 {
		return r.length
	}
	return 0
}

// strict reports whether the header is one that a client can send, to an export of size B; 0 is not known. A client that asks
// beyond the export is refused, so the size is no part of strictness where decoding is in step.
func (r request) strict(size int64, most uint64) bool {
	switch {
	case r.command >= commands || r.flags&^knownCommandFlags != 0:
		return false
	case r.payload() > most:
		return false
	case r.length > math.MaxInt64 || r.from > math.MaxInt64-r.length:
		return false
	case r.command == cmdDisconnect || r.command == cmdFlush:
		return r.length == 0 || r.payload() > 0
	}
	return size <= 0 || r.payload() > 0 && r.command != cmdWrite || r.from+r.length <= uint64(size)
}

// A reply is the header of a simple reply or of a chunk.
type reply struct {
	simple, extended bool
	flags, kind      uint16
	cookie           uint64
	length           uint64 // of the payload; of a simple reply it is not told
	err              uint32 // of a simple reply
}

// parseReply reads a reply's header; n and ok are as parseRequest has them.
func parseReply(b []byte) (r reply, n int, ok bool) {
	if len(b) < 4 {
		return r, simpleLength, false
	}
	switch binary.BigEndian.Uint32(b) {
	case simpleMagic:
		n, r.simple = simpleLength, true
	case chunkMagic:
		n = chunkLength
	case extChunkMagic:
		n, r.extended = extChunkLength, true
	default:
		return r, 0, false
	}
	if len(b) < n {
		return r, n, true
	}
	r.cookie = binary.BigEndian.Uint64(b[8:])
	if r.simple {
		r.err = binary.BigEndian.Uint32(b[4:])
		return r, n, true
	}
	r.flags, r.kind = binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])
	if r.extended {
		r.length = binary.BigEndian.Uint64(b[24:])
	} else {
		r.length = uint64(binary.BigEndian.Uint32(b[16:]))
	}
	return r, n, true
}

// strict reports whether the header is one that a server sends.
func (r reply) strict() bool {
	if r.simple {
		return r.err == 0 || errorNames[r.err] != ""
	}
	if r.flags&^flagDone != 0 {
		return false
	}
	switch r.kind {
	case chunkNone:
		return r.length == 0 && r.flags&flagDone != 0
	case chunkData:
		return r.length > 8 && r.length <= maxPayload+8
	case chunkHole:
		return r.length == 12
	case chunkStatus:
		return r.length >= 12 && (r.length-4)%8 == 0 && r.length <= maxOption
	case chunkStatusWide:
		return r.length >= 24 && (r.length-8)%16 == 0 && r.length <= maxOption
	}
	return r.kind&errorBit != 0 && r.length >= 6 && r.length <= 1<<16
}
