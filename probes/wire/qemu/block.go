package qemu

// Limits of what a stream is believed. A guest beyond them is not QEMU's, or the stream is damaged.
const (
	maxBlocks   = 1024
	maxMemory   = 64 << 40 // B: sum of all blocks
	maxChunks   = 1 << 17  // 8 KiB each: 2 TiB of guest memory that was touched
	chunkPages  = 4096
	defaultPage = 4096
)

// A cell says in which epoch a page passed last; 0 is never.
type cell = uint16

type chunk [chunkPages]cell

// A block is one of the guest's RAM blocks.
type block struct {
	index  int
	name   string
	length int64 // B; 0: not told, and it is as long as its pages show
	page   int64 // B: page size of the memory behind it, if the stream tells
	base   int64 // pages of the blocks before it in the list
	chunks map[int64]*chunk
	lastAt int64
	anyOf  bool // its pages are of some block or other: one page of it may be several
	last   *chunk
}

// blocks are the guest's RAM blocks in the order in which QEMU walks them.
type blocks struct {
	list   []*block
	byName map[string]*block
	told   bool  // the stream's list was read
	pages  int64 // of all, if told
	chunks int   // allocated
	full   bool  // some pages are not tracked: maxChunks was reached
}

func (bs *blocks) add(name string, length int64) *block {
	b := &block{index: len(bs.list), name: name, length: length, chunks: map[int64]*chunk{}}
	bs.list = append(bs.list, b)
	if bs.byName == nil {
		bs.byName = map[string]*block{}
	}
	bs.byName[name] = b
	return b
}

// find gives the block of that name. Where no list was told, a new name makes a block; nil if there can be none.
func (bs *blocks) find(name []byte) *block {
	if b := bs.byName[string(name)]; b != nil {
		return b
	}
	if bs.told || len(bs.list) >= maxBlocks || !printable(name) {
		return nil
	}
	return bs.add(string(name), 0)
}

// only is the one block that has a page at offset, and else the one without a name.
func (bs *blocks) only(offset int64) *block {
	if !bs.told {
		return bs.unnamed()
	}
	var found *block
	for _, b := range bs.list {
		switch {
		case offset >= b.length:
		case found != nil:
			return bs.unnamed()
		default:
			found = b
		}
	}
	if found == nil {
		return bs.unnamed()
	}
	return found
}

// unnamed is the block of pages whose block was named before the capture began.
func (bs *blocks) unnamed() *block {
	if b := bs.byName[""]; b != nil {
		return b
	}
	b := bs.add("", 0)
	b.anyOf, b.length = true, maxMemory
	return b
}

// cell gives page's cell, or nil if it cannot be tracked.
func (bs *blocks) cell(b *block, page int64) *cell {
	at := page / chunkPages
	if b.last == nil || b.lastAt != at {
		c := b.chunks[at]
		if c == nil {
			if bs.chunks >= maxChunks {
				bs.full = true
				return nil
			}
			bs.chunks++
			c = new(chunk)
			b.chunks[at] = c
		}
		b.last, b.lastAt = c, at
	}
	return &b.last[page%chunkPages]
}

// each calls f with every cell that is tracked.
func (bs *blocks) each(f func(*cell)) {
	for _, b := range bs.list {
		for _, c := range b.chunks {
			for i := range c {
				f(&c[i])
			}
		}
	}
}

// printable reports whether name can be an idstr: QEMU names blocks and sections in printable ASCII.
func printable(name []byte) bool {
	if len(name) == 0 {
		return false
	}
	for _, c := range name {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	return true
}
