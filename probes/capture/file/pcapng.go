package file

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"virtscope/probes/capture"
	"virtscope/probes/capture/packet"
)

// Block types of pcapng (draft-ietf-opsawg-pcapng, section 4). Others are skipped.
const (
	ngSection    = 0x0a0d0d0a
	ngInterface  = 1
	ngPacket     = 2 // obsolete
	ngSimple     = 3
	ngStatistics = 5
	ngEnhanced   = 6
)

const (
	ngOrder      = 0x1a2b3c4d
	ngHead       = 12 // B: type, length, and the length again at the end
	ngSectionLen = 28 // B of a section header without options
	maxBlock     = maxFrame + 1<<20
	// maxInterfaces bounds what a file of many sections makes us remember.
	maxInterfaces = 1 << 16
)

// ng is the format pcapng.
type ng struct {
	file    *File
	swapped bool
	at      int64 // offset of the block at hand
	section []ngPort
}

// An ngPort is an interface of the section.
type ngPort struct {
	number int // in the file
	link   packet.Link
	snap   int
	clock  ngClock
}

func (f *File) beginNG() error {
	n := &ng{file: f}
	if !f.in.need(ngSectionLen) {
		return f.short("pcapng section header", ngSectionLen)
	}
	_, body, err := n.block()
	if errors.Is(err, io.EOF) {
		return f.short("pcapng section header", int(n.u32(f.in.buf[f.in.at+4:])))
	}
	if err != nil {
		return err
	}
	f.format = n
	return n.newSection(body)
}

func (n *ng) u16(b []byte) uint16 {
	v := binary.LittleEndian.Uint16(b)
	if n.swapped {
		v = bits.ReverseBytes16(v)
	}
	return v
}

func (n *ng) u32(b []byte) uint32 {
	v := binary.LittleEndian.Uint32(b)
	if n.swapped {
		v = bits.ReverseBytes32(v)
	}
	return v
}

// u64 is two halves as a time has them, the upper first.
func (n *ng) u64(b []byte) uint64 { return uint64(n.u32(b))<<32 | uint64(n.u32(b[4:])) }

// count is a 64-bit number in the section's byte order.
func (n *ng) count(b []byte) uint64 {
	v := binary.LittleEndian.Uint64(b)
	if n.swapped {
		v = bits.ReverseBytes64(v)
	}
	return v
}

// next goes through blocks up to one with a frame.
func (n *ng) next() (capture.Frame, error) {
	for {
		kind, body, err := n.block()
		if err != nil {
			return capture.Frame{}, err
		}
		switch kind {
		case ngEnhanced:
			return n.enhanced(body)
		case ngSimple:
			return n.simple(body)
		case ngPacket:
			return n.packet(body)
		case ngSection:
			err = n.newSection(body)
		case ngInterface:
			err = n.newInterface(body)
		case ngStatistics:
			err = n.statistics(body)
		}
		if err != nil {
			return capture.Frame{}, err
		}
	}
}

// block takes the next block: its type and its body.
func (n *ng) block() (uint32, []byte, error) {
	in := &n.file.in
	if !in.need(ngHead) {
		return 0, nil, n.file.end()
	}
	n.at = in.offset()
	h := in.buf[in.at:]
	kind := n.u32(h)
	if kind == ngSection { // the same in both byte orders
		swapped, err := n.order()
		if err != nil {
			return 0, nil, err
		}
		n.swapped = swapped
	}
	total := n.u32(h[4:])
	if total < ngHead || total > maxBlock {
		return 0, nil, n.damage("a block of type %d claims %d bytes, and %d to %d are believed", kind, total, ngHead, maxBlock)
	}
	padded := int(total+3) &^ 3 // some writers leave the padding out of the length
	if !in.need(padded) {
		return 0, nil, n.file.end()
	}
	h = in.buf[in.at : in.at+padded]
	if again := n.u32(h[padded-4:]); again != total {
		return 0, nil, n.damage("a block of type %d has %d bytes at its begin and %d at its end", kind, total, again)
	}
	in.at += padded
	return kind, h[8 : padded-4 : padded-4], nil
}

// order finds the byte order of the section that begins here.
func (n *ng) order() (swapped bool, err error) {
	magic := binary.LittleEndian.Uint32(n.file.in.buf[n.file.in.at+8:])
	switch magic {
	case ngOrder:
		return false, nil
	case bits.ReverseBytes32(ngOrder):
		return true, nil
	}
	return false, n.damage("a section has the byte-order magic %#08x, not %#08x in either order", magic, ngOrder)
}

// newSection forgets the interfaces of the last section.
func (n *ng) newSection(body []byte) error {
	if len(body) < ngSectionLen-ngHead {
		return n.damage("a section header has %d bytes, not %d", len(body), ngSectionLen-ngHead)
	}
	if major, minor := n.u16(body[4:]), n.u16(body[6:]); major != 1 {
		return fmt.Errorf("read capture %s: at byte %d: a section of pcapng version %d.%d: only 1.x is known; convert it with editcap",
			n.file.name, n.at, major, minor)
	}
	n.section = n.section[:0]
	return nil
}

// newInterface adds an interface.
func (n *ng) newInterface(body []byte) error {
	const fixed = 8
	if len(body) < fixed {
		return n.damage("an interface has %d bytes, not %d", len(body), fixed)
	}
	if len(n.file.interfaces) >= maxInterfaces {
		return n.damage("more than %d interfaces", maxInterfaces)
	}
	kind := uint32(n.u16(body))
	i := Interface{LinkType: kind, Link: linkOf(kind), Snap: int(n.u32(body[4:]))}
	resolution, offset := byte(6), int64(0)
	err := n.options(body[fixed:], func(code uint16, value []byte) {
		switch {
		case code == 2:
			i.Name = text(value)
		case code == 3:
			i.Description = text(value)
		case code == 9 && len(value) >= 1:
			resolution = value[0]
		case code == 14 && len(value) >= 8:
			offset = int64(n.count(value))
		}
	})
	if err != nil {
		return err
	}
	clock, ok := newClock(resolution, offset)
	if !ok {
		return n.damage("interface %d has the time resolution %#x and offset %d s, which no time of today can have", len(n.section), resolution, offset)
	}
	n.section = append(n.section, ngPort{number: n.file.add(i), link: i.Link, snap: i.Snap, clock: clock})
	return nil
}

func (n *ng) damage(format string, args ...any) error { return n.file.damage(n.at, format, args...) }
