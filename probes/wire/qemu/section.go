package qemu

import "encoding/binary"

// What a section begins with (migration/savevm.h).
const (
	sectionEOF           = 0x00
	sectionStart         = 0x01 // be32 id, u8 length, idstr, be32 instance, be32 version
	sectionPart          = 0x02 // be32 id
	sectionEnd           = 0x03 // be32 id
	sectionFull          = 0x04 // as start: the whole state of a device
	sectionSubsection    = 0x05
	sectionVMDescription = 0x06 // be32 length, JSON
	sectionConfiguration = 0x07
	sectionCommand       = 0x08 // be16 command, be16 length, data
	sectionFooter        = 0x7e // be32 id
)

// A section is one that a START or FULL introduced.
type section struct {
	id       uint32
	name     string
	instance uint32
	version  uint32
}

// readSection reads the head of a START or FULL section behind its first byte.
func readSection(b []byte) (s section, n, need int, ok bool) {
	if len(b) < 6 {
		return s, 0, 6, true
	}
	end := 6 + int(b[5])
	if len(b) < end {
		return s, 0, end, true
	}
	name := b[6:end]
	if !printable(name) {
		return s, 0, 0, false
	}
	if len(b) < end+8 {
		return s, 0, end + 8, true
	}
	s.id = binary.BigEndian.Uint32(b[1:])
	s.instance = binary.BigEndian.Uint32(b[end:])
	s.version = binary.BigEndian.Uint32(b[end+4:])
	s.name = string(name)
	return s, end + 8, 0, true
}

// A verdict on whether bytes are what they seem.
type verdict int

const (
	no verdict = iota
	yes
	undecided
)

// footer tells whether b begins with the footer of section id, with something behind it that can follow a footer. Undecided: need bytes are wanted.
func footer(b []byte, id uint32) (v verdict, need int) {
	if len(b) < 6 {
		return undecided, 6
	}
	if b[0] != sectionFooter || binary.BigEndian.Uint32(b[1:]) != id {
		return no, 0
	}
	return follows(b[5:], 5)
}

// follows tells whether b begins with what can follow a section. Need counts skipped bytes before b too.
func follows(b []byte, skipped int) (v verdict, need int) {
	if len(b) < 1 {
		return undecided, skipped + 1
	}
	switch b[0] {
	case sectionEOF, sectionPart, sectionEnd, sectionVMDescription:
		return yes, 0
	case sectionCommand:
		if len(b) < 3 {
			return undecided, skipped + 3
		}
		return verdictOf(knownCommand(binary.BigEndian.Uint16(b[1:]))), 0
	case sectionStart, sectionFull:
		_, n, need, ok := readSection(b)
		if n == 0 && ok {
			return undecided, skipped + need
		}
		return verdictOf(ok), 0
	}
	return no, 0
}

func verdictOf(ok bool) verdict {
	if ok {
		return yes
	}
	return no
}
