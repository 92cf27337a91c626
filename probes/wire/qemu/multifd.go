package qemu

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"virtscope/probes/wire/tcp"
)

// The layout of a multifd channel (migration/multifd.h).
const (
	multifdVersion = 1
	helloSize      = 64  // be32 magic, be32 version, 16 B uuid, u8 id, padding
	packetFixed    = 320 // the packet before its list of offsets
	packetMax      = 512 << 10
	stateFixed     = 276 // a packet of device state (QEMU 10.0): be32 magic, version, flags, 256 B name, be32 instance, be32 size
	maxAlloc       = packetMax / 1024

	packetSync        = 1 << 0
	packetCompression = 0x1f << 1
	packetState       = 32 << 1
)

var multifdMethods = map[uint32]string{0: "none", 1: "zlib", 2: "zstd", 4: "qpl", 8: "uadk", 16: "qatzip"}

// A multifdChannel parses one multifd channel.
type multifdChannel struct {
	stream
	walker
	m         *Migration
	number    int
	id        int // as its hello says; -1 before
	alloc     int // offsets in a packet
	method    uint32
	lost      bool
	lostFrom  int64
	stateSum  int64
	undecoded int64
}

func newMultifd(m *Migration, number int) *multifdChannel {
	c := &multifdChannel{m: m, number: number, id: -1}
	c.parse, c.gap = c.step, c.lose
	c.end = func(tcp.End, tcp.Stamp) {
		if c.lost {
			rest := c.off + int64(len(c.carry)) - c.lostFrom
			c.undecoded += rest
			m.contents(c, c.lostFrom, rest)
		}
		c.book(c.off)
	}
	c.walker = walker{m: m, s: &c.stream, self: c}
	return c
}

func (c *multifdChannel) name() string {
	if c.id < 0 {
		return "multifd"
	}
	return "multifd-" + strconv.Itoa(c.id)
}

func (c *multifdChannel) step(b []byte) (n, need int) {
	switch {
	case c.lost:
		return c.stepLost(b)
	case c.id < 0:
		return c.hello(b)
	}
	return c.packet(b)
}

func (c *multifdChannel) hello(b []byte) (n, need int) {
	if len(b) < helloSize {
		return 0, helloSize
	}
	magic, version := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	if magic != multifdMagic || version != multifdVersion {
		return c.garbled(fmt.Sprintf("no hello of multifd: magic 0x%08x, version %d", magic, version))
	}
	c.id = int(b[24])
	return helloSize, 0
}

// A multifdPacket is the head of a packet.
type multifdPacket struct {
	flags, alloc, normal, zero uint32
	size                       int64 // of what follows
	block                      []byte
}

func readPacket(b []byte) (p multifdPacket) {
	p.flags = binary.BigEndian.Uint32(b[8:])
	p.alloc = binary.BigEndian.Uint32(b[12:])
	p.normal = binary.BigEndian.Uint32(b[16:])
	p.size = int64(binary.BigEndian.Uint32(b[20:]))
	p.zero = binary.BigEndian.Uint32(b[32:]) // QEMU 9.0; 0 before
	if p.normal == 0 {
		p.size = 0 // QEMU before 9.0 repeats that of the packet before
	}
	name := b[64:packetFixed]
	if i := bytes.IndexByte(name, 0); i >= 0 {
		name = name[:i]
	}
	p.block = name
	return p
}

func (c *multifdChannel) packet(b []byte) (n, need int) {
	if len(b) < 12 {
		return 0, 12
	}
	if binary.BigEndian.Uint32(b) != multifdMagic || binary.BigEndian.Uint32(b[4:]) != multifdVersion {
		return c.garbled("no packet of multifd")
	}
	if binary.BigEndian.Uint32(b[8:])&packetState != 0 {
		return c.state(b)
	}
	if len(b) < packetFixed {
		return 0, packetFixed
	}
	p := readPacket(b)
	alloc := c.slots(&p)
	size := packetFixed + 8*alloc
	if alloc > maxAlloc || int64(p.normal)+int64(p.zero) > int64(alloc) || p.size > 2*packetMax {
		return c.garbled(fmt.Sprintf("a packet of %d and %d of %d pages, %d B, is not believed", p.normal, p.zero, alloc, p.size))
	}
	if len(b) < size {
		return 0, size
	}
	if detail := c.take(&p, b[:size]); detail != "" {
		return c.garbled(detail)
	}
	c.skip = p.size
	if p.size > 0 && c.m.config.Content != nil {
		c.m.config.Content(c, c.off+int64(size), p.size)
	}
	if p.flags&packetSync != 0 {
		c.next(c.off + int64(size) + p.size)
		c.m.ledger.epoch(c.count + c.m.ledger.bias)
	}
	return size, 0
}

// slots is how many offsets the packet has room for: a packet without pages may not say so (QEMU 9.1).
func (c *multifdChannel) slots(p *multifdPacket) int {
	if p.alloc != 0 {
		c.alloc = int(min(p.alloc, maxAlloc+1))
	}
	if c.alloc == 0 {
		return packetMax / int(c.m.ledger.size)
	}
	return c.alloc
}

// take counts a packet's pages; it returns what makes no sense of it.
func (c *multifdChannel) take(p *multifdPacket, b []byte) string {
	m := c.m
	head := int64(len(b)) - 8*int64(p.zero)
	if p.normal+p.zero == 0 {
		return ""
	}
	method := (p.flags & packetCompression) >> 1
	if method == 0 && p.size != int64(p.normal)*m.ledger.size {
		return fmt.Sprintf("%d B in a packet of %d pages", p.size, p.normal)
	}
	block := m.ledger.blocks.find(p.block)
	if block == nil {
		return fmt.Sprintf("a packet of block %q, which is not known", p.block)
	}
	c.method = method
	at := c.stamp(0)
	if !m.ledger.coarse {
		m.ledger.start(c.count+m.ledger.bias, at, m.past.queued(m.main.off))
	}
	for i := range int(p.normal + p.zero) {
		offset := int64(binary.BigEndian.Uint64(b[packetFixed+8*i:]))
		if offset < 0 || offset%m.ledger.size != 0 || offset >= maxMemory || block.length > 0 && offset >= block.length {
			return fmt.Sprintf("offset 0x%x is not in block %s", offset, block.name)
		}
		k, size := kindMultifd, int64(0)
		if i >= int(p.normal) {
			k, size = kindZero, 8
		} else if i == 0 {
			size = head + p.size // of all of them
		}
		m.ledger.page(block, offset/m.ledger.size, k, size, c.count, at)
	}
	if p.normal == 0 {
		m.ledger.epoch(c.count + m.ledger.bias).sums.bytes[kindZero] += head
	}
	return ""
}

// state passes a packet of a device's state.
func (c *multifdChannel) state(b []byte) (n, need int) {
	if len(b) < stateFixed {
		return 0, stateFixed
	}
	c.skip = int64(binary.BigEndian.Uint32(b[272:]))
	c.stateSum += stateFixed + c.skip
	return stateFixed, 0
}

func (c *multifdChannel) garbled(detail string) (n, need int) {
	c.m.damage(c.name(), forward, c.off, c.stamp(0), detail)
	c.lost, c.lostFrom = true, c.off
	return 1, 0
}

func (c *multifdChannel) lose(offset, n int64, at tcp.Stamp) {
	if c.lost {
		return
	}
	c.m.damage(c.name(), forward, offset, at, fmt.Sprintf("%d B are missing", n))
	c.lost, c.lostFrom = true, offset
}

var packetBegin = []byte{0x11, 0x22, 0x33, 0x44, 0, 0, 0, multifdVersion}

// stepLost looks for the next packet.
func (c *multifdChannel) stepLost(b []byte) (n, need int) {
	i := bytes.Index(b, packetBegin)
	if i < 0 {
		keep := min(len(b), len(packetBegin)-1)
		if len(b) > keep {
			return len(b) - keep, 0
		}
		return 0, len(packetBegin)
	}
	if i > 0 {
		return i, 0
	}
	if len(b) < packetFixed {
		return 0, packetFixed
	}
	p := readPacket(b)
	if p.flags&packetState == 0 && !c.sane(&p) {
		return 1, 0
	}
	c.lost = false
	c.id = max(c.id, c.number)
	if now := c.m.main.count; now > c.count { // marks were lost, too
		c.book(c.off)
		c.count = now
	}
	c.undecoded += c.off - c.lostFrom
	c.m.contents(c, c.lostFrom, c.off-c.lostFrom)
	c.m.resync(c.name(), forward, c.off, c.off-c.lostFrom, c.stamp(0))
	return c.packet(b)
}

// sane reports whether what looks like a packet is one.
func (c *multifdChannel) sane(p *multifdPacket) bool {
	if p.flags&^(packetSync|packetCompression) != 0 || p.alloc > maxAlloc || p.normal+p.zero > max(p.alloc, 0) || p.size > 2*packetMax {
		return false
	}
	return p.normal+p.zero == 0 || printable(p.block)
}
