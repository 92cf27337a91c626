package file

import (
	"encoding/binary"
	"fmt"
)

// xzWindow is twice the dictionary of xz -9. The reader takes memory for whatever a file asks for, up to 4 GiB.
const xzWindow = 128 << 20

// checkXz looks at the dictionary that the first block asks for; the writers that there are give all blocks the same
// (The .xz File Format, sections 3.1 and 5.3.1).
func (f *File) checkXz() error {
	const streamHead, mostVarint, lzma2 = 12, 9, 0x21
	if !f.in.need(streamHead+1) || !f.in.need(streamHead+(int(f.in.buf[streamHead])+1)*4) {
		return nil // the reader says what is wrong
	}
	b := f.in.buf[streamHead : streamHead+(int(f.in.buf[streamHead])+1)*4]
	flags, b := b[1], b[2:]
	for _, sized := range []byte{0x40, 0x80} {
		if flags&sized == 0 {
			continue
		}
		_, n := binary.Uvarint(b[:min(len(b), mostVarint)])
		b = b[max(n, 0):]
	}
	if len(b) < 3 || b[0] != lzma2 || b[1] != 1 {
		return nil
	}
	if size := (2 | uint64(b[2]&1)) << (b[2]/2 + 11); size > xzWindow {
		return fmt.Errorf("read capture %s: xz with a dictionary of %d MiB, and %d at most are taken: decompress it with xz -d", f.name, size>>20, xzWindow>>20)
	}
	return nil
}
