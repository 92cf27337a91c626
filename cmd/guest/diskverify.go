package main

import (
	"errors"
	"fmt"
	"io"
	"syscall"
)

// verify reads every block that was written. A block counts as its pages. The table of generations is memory, and so is what
// is wrong with it.
func (d *disk) verify(f *findings) {
	if d.fd < 0 {
		return
	}
	var (
		sum           uint64
		read, corrupt int64
		example       string
	)
	for b, generation := range d.generations {
		sum += uint64(generation)
		if generation == 0 || b == d.unsure {
			continue
		}
		read += d.block
		wrong, at, why := d.look(b)
		if wrong == 0 {
			continue
		}
		if corrupt == 0 {
			example = fmt.Sprintf("the first is %d: %s", b*len(d.pages)+at, why)
		}
		corrupt += wrong
	}
	f.disk(read, corrupt)
	f.note("disk: %d B in blocks that were written were read back", read)
	if d.unsure >= 0 {
		f.note("disk: block %d was not checked, as a write to it failed", d.unsure)
	}
	if corrupt > 0 {
		f.note("disk: %d wrong pages; %s", corrupt, example)
	}
	if sum != d.writes {
		f.corrupt(1, 0, "disk: generations add up to %d after %d writes", sum, d.writes)
	}
}

// look reads a block and returns how many of its pages are wrong, which is the first, and what is wrong with it.
func (d *disk) look(block int) (wrong int64, first int, why string) {
	if err := d.read(block); err != nil {
		return int64(len(d.pages)), 0, err.Error()
	}
	now := d.generations[block]
	for p := range d.pages {
		words, _, _ := d.layout.wrong(&d.pages[p], d.content(block, p, now))
		if words == 0 {
			continue
		}
		if wrong == 0 {
			first, why = p, d.diagnose(block, p, words)
		}
		wrong++
	}
	return wrong, first, why
}

func (d *disk) read(block int) error {
	for done := int64(0); done < d.block; {
		n, err := syscall.Pread(d.fd, d.buffer[done:], int64(block)*d.block+done)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err == nil && n == 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return fmt.Errorf("read block %d of the disk: %w", block, err)
		}
		done += int64(n)
	}
	return nil
}

// diagnose says what a wrong page of a block holds.
func (d *disk) diagnose(block, p, words int) string {
	const depth = 100 // generations back
	now := d.generations[block]
	for back := uint32(1); back <= min(now-1, depth); back++ {
		if n, _, _ := d.layout.wrong(&d.pages[p], d.content(block, p, now-back)); n == 0 {
			return fmt.Sprintf("block %d is stale: it holds generation %d, not %d", block, now-back, now)
		}
	}
	if d.pages[p] == (page{}) {
		return fmt.Sprintf("page %d of block %d is zero", p, block)
	}
	return fmt.Sprintf("page %d of block %d, generation %d: %d of %d words are wrong", p, block, now, words, pageWords)
}
