package file

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"virtscope/probes/capture"
	"virtscope/probes/capture/packet"
)

const (
	pcapMagicMicro  = 0xa1b2c3d4
	pcapMagicNano   = 0xa1b23c4d
	pcapMagicModify = 0xa1b2cd34 // Kuznetzov's: 8 B more in each record's head
	pcapHead        = 24
	pcapRecord      = 16
	pcapRecordMod   = 24
)

// A variant is a kind of pcap file.
type variant struct {
	swapped bool  // its byte order is big endian
	unit    int64 // ns in a unit of the fraction of a second
	head    int   // B of a record's head
}

// pcapVariantOf finds the kind from the magic number, read as little endian.
func pcapVariantOf(magic uint32) (variant, bool) {
	for _, swapped := range []bool{false, true} {
		m := magic
		if swapped {
			m = bits.ReverseBytes32(magic)
		}
		switch m {
		case pcapMagicMicro:
			return variant{swapped, 1000, pcapRecord}, true
		case pcapMagicNano:
			return variant{swapped, 1, pcapRecord}, true
		case pcapMagicModify:
			return variant{swapped, 1000, pcapRecordMod}, true
		}
	}
	return variant{}, false
}

// isMagic tells a capture's head from a record's.
func isMagic(v uint32) bool {
	_, ok := pcapVariantOf(v)
	return ok
}

// pcap is the classic format (draft-ietf-opsawg-pcap).
type pcap struct {
	variant
	file  *File
	link  packet.Link
	limit uint32 // of the fraction of a second
	old   bool   // before version 2.4: writers did not agree on the order of the two lengths
}

func (f *File) beginPcap(v variant) error {
	if !f.in.need(pcapHead) {
		return f.short("pcap header", pcapHead)
	}
	h := f.in.buf[f.in.at:]
	p := &pcap{variant: v, file: f}
	major, minor := p.u32(h[4:])&0xffff, p.u32(h[4:])>>16
	if v.swapped {
		major, minor = minor, major
	}
	if major != 2 {
		return fmt.Errorf("read capture %s: it is pcap version %d.%d: only 2.x is known; convert it with editcap", f.name, major, minor)
	}
	// A fraction of a whole second is what writers make that round up; more is damage.
	p.limit, p.old = uint32(1e9/v.unit), minor < 4
	const linkMask = 0x03ffffff // above it is the length of a frame check sequence
	kind := p.u32(h[20:]) & linkMask
	p.link = linkOf(kind)
	f.in.at += pcapHead
	f.add(Interface{Link: p.link, LinkType: kind, Snap: int(p.u32(h[16:]))})
	f.format = p
	return nil
}

func (p *pcap) u32(b []byte) uint32 {
	v := binary.LittleEndian.Uint32(b)
	if p.swapped {
		v = bits.ReverseBytes32(v)
	}
	return v
}

func (p *pcap) next() (capture.Frame, error) {
	in := &p.file.in
	if !in.need(p.head) {
		return capture.Frame{}, p.file.end()
	}
	h := in.buf[in.at : in.at+p.head]
	sec, fraction, captured, length := p.u32(h), p.u32(h[4:]), p.u32(h[8:]), p.u32(h[12:])
	if p.old && captured > length {
		captured, length = length, captured
	}
	if captured > maxFrame || captured > length || fraction > p.limit || length == 0 && isMagic(sec) {
		return capture.Frame{}, p.damaged(sec, fraction, captured, length)
	}
	whole := p.head + int(captured)
	if !in.need(whole) {
		return capture.Frame{}, p.file.end()
	}
	begin, end := in.at+p.head, in.at+whole
	in.at = end
	return capture.Frame{
		Data:   in.buf[begin:end:end],
		Length: int(length),
		Time:   int64(sec)*1e9 + int64(fraction)*p.unit,
		Link:   p.link,
	}, nil
}

// damaged says what is wrong with a record's head.
func (p *pcap) damaged(sec, fraction, captured, length uint32) error {
	f, at := p.file, p.file.in.offset()
	switch {
	case length == 0 && isMagic(sec):
		return f.damage(at, "another capture begins here: captures are joined by mergecap, not by cat")
	case captured > maxFrame:
		return f.damage(at, "a record claims %d captured bytes, and the most that is believed is %d", captured, maxFrame)
	case captured > length:
		return f.damage(at, "a record claims that %d bytes were captured of a frame of %d", captured, length)
	}
	return f.damage(at, "a record claims %d fractions of a second of which there are %d", fraction, p.limit)
}
