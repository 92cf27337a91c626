package nbd

import "math/bits"

const (
	sectorSize   = 512
	chunkSectors = 1 << 15 // 16 MiB
	mostMemory   = 12 << 20
	entryMemory  = 64   // B of a chunk besides its bits
	mostChunks   = 4096 // that one request may cover (64 GiB)
)

// shifts are how many sectors a bit may stand for: 64 KiB, 4 KiB or one. A chunk has the coarsest that is exact.
var shifts = [...]uint{7, 3, 0}

// Sectors is an exact set of a disk's sectors. Its memory is bounded: what does not fit is left out, and said.
type sectors struct {
	chunks   map[uint64]*chunk
	memory   int
	overflow bool
}

// A chunk is 16 MiB of the disk. A full one has no bits.
type chunk struct {
	level int // of shifts
	set   int // sectors
	words []uint64
}

var full = &chunk{set: chunkSectors}

// visit looks at the sectors from from on and before to, and adds them if add is true. It returns how many were in the set, and
// how many it could look at: fewer than asked for when the memory was used up.
func (s *sectors) visit(from, to uint64, add bool) (had, seen int64) {
	if to-from > mostChunks*chunkSectors {
		s.overflow = true
		return 0, 0
	}
	for from < to {
		end := min(to, (from/chunkSectors+1)*chunkSectors)
		h, ok := s.part(from/chunkSectors, int(from%chunkSectors), int(end-1)%chunkSectors+1, add)
		if ok {
			had += int64(h)
			seen += int64(end - from)
		} else {
			s.overflow = true
		}
		from = end
	}
	return had, seen
}

// part is visit within one chunk.
func (s *sectors) part(index uint64, from, to int, add bool) (had int, ok bool) {
	c := s.chunks[index]
	switch {
	case c == full:
		return to - from, true
	case c == nil && !add:
		return 0, !s.overflow
	case add && to-from == chunkSectors:
		return s.fill(index, c)
	case c == nil:
		if c = s.make(index, levelOf(from, to)); c == nil {
			return 0, false
		}
	case levelOf(from, to) > c.level && !s.refine(c, levelOf(from, to)):
		return 0, false
	}
	had = c.visit(from, to, add)
	if add {
		c.set += to - from - had
	}
	if c.set == chunkSectors {
		s.memory -= 8 * len(c.words)
		s.chunks[index] = full
	}
	return had, true
}

// levelOf is the coarsest level at which a range is exact.
func levelOf(from, to int) int {
	for i, shift := range shifts {
		if (from|to)&(1<<shift-1) == 0 {
			return i
		}
	}
	return len(shifts) - 1
}

// fill makes a chunk full.
func (s *sectors) fill(index uint64, c *chunk) (had int, ok bool) {
	if c != nil {
		s.memory -= 8 * len(c.words)
		s.chunks[index] = full
		return c.set, true
	}
	if s.memory+entryMemory > mostMemory {
		return 0, false
	}
	s.put(index, full)
	return 0, true
}

func (s *sectors) put(index uint64, c *chunk) {
	if s.chunks == nil {
		s.chunks = map[uint64]*chunk{}
	}
	s.memory += entryMemory
	s.chunks[index] = c
}

func wordsAt(level int) int { return chunkSectors >> shifts[level] / 64 }

func (s *sectors) make(index uint64, level int) *chunk {
	need := 8 * wordsAt(level)
	if s.memory+entryMemory+need > mostMemory {
		return nil
	}
	c := &chunk{level: level, words: make([]uint64, wordsAt(level))}
	s.put(index, c)
	s.memory += need
	return c
}

// refine makes a chunk's bits finer.
func (s *sectors) refine(c *chunk, level int) bool {
	need := 8 * (wordsAt(level) - wordsAt(c.level))
	if s.memory+need > mostMemory {
		return false
	}
	finer := chunk{level: level, words: make([]uint64, wordsAt(level))}
	for i := range chunkSectors >> shifts[c.level] {
		if c.words[i/64]>>(i%64)&1 == 1 {
			finer.visit(i<<shifts[c.level], (i+1)<<shifts[c.level], true)
		}
	}
	c.level, c.words = level, finer.words
	s.memory += need
	return true
}

// visit counts the sectors of a range that are set, and sets them if add is true. A visit that adds must fit the level.
func (c *chunk) visit(from, to int, add bool) (had int) {
	shift := shifts[c.level]
	for i, end := from>>shift, to>>shift; i < end; {
		n := min(64-i%64, end-i)
		mask := ^uint64(0) >> (64 - n) << (i % 64)
		had += bits.OnesCount64(c.words[i/64]&mask) << shift
		if add {
			c.words[i/64] |= mask
		}
		i += n
	}
	return had
}
