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
	if id > maxSections {
		return no, 0
	}
	v, need := l.goesOn(b[at+5:])
	return v, at + 5 + need
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

// goesOn tells whether what may follow a section stands at b. It wants more than a byte or two, which damaged or foreign bytes
// hold by chance.
func (l *looker) goesOn(b []byte) (v verdict, need int) {
	if len(b) < 6 {
		return undecided, 6
	}
	switch b[0] {
	case sectionEOF: // the description of the devices follows
		size := binary.BigEndian.Uint32(b[2:])
		return verdictOf(b[1] == sectionVMDescription && size > 0 && size <= maxJSON), 0
	case sectionPart, sectionEnd:
		id := binary.BigEndian.Uint32(b[1:])
		_, known := l.sections[id]
		return verdictOf(known || l.sections == nil && id <= maxSections), 0
	case sectionCommand:
		return verdictOf(plausibleCommand(binary.BigEndian.Uint16(b[1:]), binary.BigEndian.Uint16(b[3:]))), 0
	case sectionStart, sectionFull:
		s, n, need, ok := readSection(b)
		if n == 0 && ok {
			return undecided, need
		}
		return verdictOf(ok && s.id <= maxSections), 0
	}
	return no, 0
}
