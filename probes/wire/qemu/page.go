package qemu

import (
	"encoding/binary"
	"math/bits"
)

// Flags of a page record, the low bits of its first be64; the high bits are the page's offset in its block (migration/ram.c).
const (
	flagZero     = 0x002 // u8: the byte that fills it
	flagMemSize  = 0x004 // the list of blocks; the offset is the sum of their lengths
	flagPage     = 0x008 // the page
	flagEOS      = 0x010 // end of the section's records
	flagContinue = 0x020 // the block of the record before; else u8 length, idstr
	flagXBZRLE   = 0x040 // u8 1, be16 length, difference
	flagHook     = 0x080 // RDMA
	flagCompress = 0x100 // be32 length, deflated page
	flagFlush    = 0x200 // multifd channels are flushed here

	flagMask = 0xfff // the smallest target page is 1 KiB, but such a machine sends no flag above 0x200
)

// A kind is one of results.Page….
type kind uint8

const (
	kindNormal kind = iota
	kindZero
	kindXBZRLE
	kindCompressed
	kindMultifd
	kindUnknown
	kinds
)

// A record is the head of a page record.
type record struct {
	offset int64
	flags  uint64
	name   []byte // nil with flagContinue, and where no block is named
	head   int    // B before the contents
	body   int64  // B of contents
	kind   kind
}

// isPage reports whether the record is of a page.
func (r *record) isPage() bool {
	return r.flags&(flagZero|flagPage|flagXBZRLE|flagCompress) != 0
}

// readRecord reads a record's head from b. Need is 0 if it is whole, else how many bytes are wanted. Ok is false if this can be no record.
func readRecord(b []byte, pageSize int64) (r record, need int, ok bool) {
	if len(b) < 8 {
		return r, 8, true
	}
	word := binary.BigEndian.Uint64(b)
	mask := uint64(min(pageSize-1, flagMask))
	r.flags, r.offset, r.head = word&mask, int64(word&^mask), 8
	what := r.flags &^ flagContinue
	if bits.OnesCount64(what) != 1 || r.offset < 0 || r.offset >= maxMemory {
		return r, 0, false
	}
	if !r.isPage() {
		special := what == flagEOS || what == flagFlush || what == flagHook
		plain := r.flags&flagContinue == 0 && (what == flagMemSize || special && r.offset == 0)
		return r, 0, plain || what == flagHook
	}
	if r.offset%pageSize != 0 {
		return r, 0, false
	}
	if r.flags&flagContinue == 0 {
		if len(b) < 9 {
			return r, 9, true
		}
		n := int(b[8])
		r.head += 1 + n
		if n == 0 {
			return r, 0, false
		}
		if len(b) < r.head {
			return r, r.head, true
		}
		r.name = b[9:r.head]
		if !printable(r.name) {
			return r, 0, false
		}
	}
	return r.readBody(b, pageSize, what)
}

// readBody reads what a record of a page tells of its contents.
func (r record) readBody(b []byte, pageSize int64, what uint64) (record, int, bool) {
	at := r.head
	switch what {
	case flagZero:
		r.kind, r.head = kindZero, at+1
	case flagPage:
		r.kind, r.body = kindNormal, pageSize
	case flagXBZRLE:
		r.kind, r.head = kindXBZRLE, at+3
	case flagCompress:
		r.kind, r.head = kindCompressed, at+4
	}
	if len(b) < r.head {
		return r, r.head, true
	}
	switch what {
	case flagXBZRLE:
		r.body = int64(binary.BigEndian.Uint16(b[at+1:]))
		return r, 0, b[at] == 1 && r.body > 0 && r.body <= pageSize
	case flagCompress:
		r.body = int64(binary.BigEndian.Uint32(b[at:]))
		return r, 0, r.body > 0 && r.body <= 2*pageSize+64
	}
	return r, 0, true
}
