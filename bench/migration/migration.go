// Package migration makes the bytes of a migration by QEMU, for benchmarks that need a stream of a certain length. The
// pages hold small random numbers; nothing of it comes from a guest.
package migration

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
)

// Stream format (QEMU's migration/savevm.c, migration/ram.c).
const (
	magic   = 0x5145564d
	version = 3

	sectionID         = 2
	markConfiguration = 0x07
	markStart         = 0x01
	markPart          = 0x02
	markEnd           = 0x03
	markFooter        = 0x7e

	flagZero = 0x02
	flagSize = 0x04
	flagPage = 0x08
	flagEnd  = 0x10
	flagSame = 0x20

	pageSize   = 4096
	perSection = 1024 // pages
	blockName  = "pc.ram"
	machine    = "pc-q35-10.0"
)

// A Stream is a migration of a small guest of which every page is dirtied again in every round.
type Stream struct {
	Head  []byte // comes first
	Round []byte // any number of times
	Tail  []byte // comes last

	Normal, Zero int64 // page records of a round
}

// New makes the stream of a guest of so many B of memory, in whole sections of 4 MiB. Every eighth page is zero.
func New(memory int64) Stream {
	var s Stream
	pages := max(1, memory/(perSection*pageSize)) * perSection
	head := &buffer{}
	head.u32(magic, version)
	head.b = append(head.b, markConfiguration)
	head.u32(uint32(len(machine)))
	head.b = append(head.b, machine...)
	head.b = append(head.b, markStart)
	head.u32(sectionID)
	head.name("ram")
	head.u32(0, 4) // instance and version of the section
	head.u64(uint64(pages)*pageSize | flagSize)
	head.name(blockName)
	head.u64(uint64(pages) * pageSize)
	head.end()
	s.Head = head.b

	noise := rand.New(rand.NewPCG(1, 2))
	round := &buffer{b: make([]byte, 0, pages*(pageSize+8))}
	for n := range pages {
		if n%perSection == 0 {
			round.b = append(round.b, markPart)
			round.u32(sectionID)
		}
		s.page(round, n, noise)
		if n%perSection == perSection-1 {
			round.end()
		}
	}
	s.Round = round.b

	tail := &buffer{}
	tail.b = append(tail.b, markEnd)
	tail.u32(sectionID)
	tail.end()
	s.Tail = append(tail.b, 0) // the stream's end
	return s
}

func (s *Stream) page(b *buffer, n int64, noise *rand.Rand) {
	flags := uint64(flagPage)
	if n%8 == 7 {
		flags = flagZero
	}
	first := n%perSection == 0
	if !first {
		flags |= flagSame
	}
	b.u64(uint64(n)*pageSize | flags)
	if first {
		b.name(blockName)
	}
	if flags&flagZero != 0 {
		b.b = append(b.b, 0)
		s.Zero++
		return
	}
	// Runs of small numbers, as much of a guest's memory is.
	for range pageSize / 8 {
		b.b = binary.LittleEndian.AppendUint64(b.b, noise.Uint64N(1<<16))
	}
	s.Normal++
}

// Write writes a whole stream of at least size B, and says how many rounds it has.
func (s *Stream) Write(w io.Writer, size int64) (rounds int64, err error) {
	pieces := [][]byte{s.Head}
	for left := size; left > 0; left -= int64(len(s.Round)) {
		pieces = append(pieces, s.Round)
		rounds++
	}
	for _, p := range append(pieces, s.Tail) {
		if _, err := w.Write(p); err != nil {
			return rounds, fmt.Errorf("write migration stream: %w", err)
		}
	}
	return rounds, nil
}

type buffer struct{ b []byte }

func (b *buffer) u32(values ...uint32) {
	for _, v := range values {
		b.b = binary.BigEndian.AppendUint32(b.b, v)
	}
}

func (b *buffer) u64(v uint64) { b.b = binary.BigEndian.AppendUint64(b.b, v) }

func (b *buffer) name(n string) { b.b = append(append(b.b, byte(len(n))), n...) }

// end ends a section of RAM.
func (b *buffer) end() {
	b.u64(flagEnd)
	b.b = append(b.b, markFooter)
	b.u32(sectionID)
}
