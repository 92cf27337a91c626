package qemu

import "encoding/binary"

// A looker tells where a damaged stream makes sense again.
type looker struct {
	pageSize int64
	known    *blocks            // may be nil
	sections map[uint32]section // may be nil
}

const chainLength = 3

// chain tells whether b begins with page records in a row, or with their end and a section's footer. Undecided: need bytes are wanted.
func (l *looker) chain(b []byte) (v verdict, need int) {
	at, last := 0, int64(-1)
	for n := 0; n < chainLength; n++ {
		r, need, ok := readRecord(b[at:], l.pageSize)
		if !ok || need == 0 && !l.plausible(&r) {
			return no, 0
		}
		if need > 0 {
			if at == 0 && len(b) >= 8 && len(b) < 9 {
				return undecided, 9
			}
			return undecided, at + need
		}
		if r.flags == flagEOS {
			return l.sectionEnds(b, at+8)
		}
		if !r.isPage() {
			return no, 0
		}
		if r.name == nil && r.offset <= last { // QEMU walks a block upwards
			return no, 0
		}
		last = r.offset
		at += r.head + int(r.body)
		if at > len(b) {
			if n == chainLength-1 {
				return yes, 0
			}
			return undecided, at + 8
		}
	}
	return yes, 0
}

// sectionEnds tells whether a footer and a section's begin stand at b[at:].
func (l *looker) sectionEnds(b []byte, at int) (verdict, int) {
	if len(b) < at+6 {
		return undecided, at + 6
	}
	if b[at] != sectionFooter {
		return no, 0
	}
	id := binary.BigEndian.Uint32(b[at+1:])
	if l.sections != nil {
		if _, known := l.sections[id]; !known {
			return no, 0
		}
	}
	v, need := footer(b[at:], id)
	return v, at + need
}

// plausible reports whether the record fits the blocks that are known.
func (l *looker) plausible(r *record) bool {
	if !r.isPage() || l.known == nil || !l.known.told {
		return true
	}
	if r.name != nil {
		b := l.known.byName[string(r.name)]
		return b != nil && r.offset < b.length
	}
	for _, b := range l.known.list {
		if r.offset < b.length {
			return true
		}
	}
	return false
}

// anyFooter tells whether b begins with the footer of a section that is known, and with another section behind it.
func (l *looker) anyFooter(b []byte) (verdict, int) {
	return l.sectionEnds(b, 0)
}
