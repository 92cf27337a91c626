package qemu

import (
	"encoding/binary"
	"fmt"
	"virtscope/probes/wire/tcp"
)

// Messages of the return path (migration/migration.h, enum mig_rp_message_type): be16 type, be16 length, data.
const (
	returnShut       = 1 // be32 value; 0: loaded
	returnPong       = 2 // be32
	returnPagesID    = 3 // be64 start, be32 length, u8 length, block
	returnPages      = 4 // be64 start, be32 length, in the block asked for last
	returnBitmap     = 5
	returnResume     = 6
	returnSwitchover = 7
	returnTypes      = 8
)

// A returnPath parses the main channel's way back.
type returnPath struct {
	stream
	m         *Migration
	block     string // asked for last
	garbled   bool
	undecoded int64
}

func newReturn(m *Migration) *returnPath {
	r := &returnPath{m: m}
	r.parse, r.gap = r.step, r.lose
	r.end = func(tcp.End, tcp.Stamp) {
		if r.garbled {
			r.undecoded += int64(len(r.carry))
		}
	}
	return r
}

// lengths are those of messages; -1 is any.
var returnLengths = [returnTypes]int{0, 4, 4, -1, 12, -1, 4, 0}

func (r *returnPath) step(b []byte) (n, need int) {
	if len(b) < 4 {
		return 0, 4
	}
	kind, length := int(binary.BigEndian.Uint16(b)), int(binary.BigEndian.Uint16(b[2:]))
	if !returnMessage(kind, length) {
		if !r.garbled {
			r.garbled = true
			r.m.damage("main", reverse, r.off, r.stamp(0), fmt.Sprintf("no message of the return path: type %d, %d B", kind, length))
		}
		r.undecoded++
		return 1, 0
	}
	if len(b) < 4+length {
		return 0, 4 + length
	}
	r.garbled = false
	r.message(kind, b[4:4+length], r.stamp(3+length))
	return 4 + length, 0
}

func returnMessage(kind, length int) bool {
	if kind < 1 || kind >= returnTypes || length > 512 {
		return false
	}
	return returnLengths[kind] < 0 || returnLengths[kind] == length
}

func (r *returnPath) message(kind int, data []byte, at tcp.Stamp) {
	switch kind {
	case returnShut: // its value is 0 if the destination loaded everything (source_return_path_thread)
		switch {
		case binary.BigEndian.Uint32(data) != 0:
			r.m.refused = true
		case !r.m.shut:
			r.m.shut, r.m.shutAt = true, at
		}
	case returnPagesID:
		r.m.asked = true
		if len(data) >= 13 && len(data) == 13+int(data[12]) {
			r.block = string(data[13:])
			r.ask(data, at)
		}
	case returnPages:
		r.m.asked = true
		r.ask(data, at)
	}
}

// ask notes a request for a host page: it is answered when its last target page has passed.
func (r *returnPath) ask(data []byte, at tcp.Stamp) {
	l := &r.m.ledger
	b := l.blocks.byName[r.block]
	start, length := int64(binary.BigEndian.Uint64(data)), int64(binary.BigEndian.Uint32(data[8:]))
	if b == nil || start < 0 || length < l.size || start > maxMemory || b.length > 0 && start+length > b.length {
		r.m.faults.requests++
		r.m.faults.dropped++
		return
	}
	page := (start+length)/l.size - 1
	c := l.blocks.cell(b, page)
	sent := c != nil && r.m.posted && l.read(*c) >= r.m.stopAt
	r.m.faults.ask(pageKey{b.index, page}, sent, at)
}

func (r *returnPath) lose(offset, n int64, at tcp.Stamp) {
	r.m.damage("main", reverse, offset, at, fmt.Sprintf("%d B are missing", n))
	r.undecoded += n
	r.garbled = true
}
