package qemu

import (
	"bytes"
	"encoding/binary"
)

// tailSize is more than the text at a stream's end takes.
const tailSize = 4 << 20

// A tail keeps the last bytes of a stream.
type tail []byte

func (t *tail) add(p []byte) {
	*t = append(*t, p...)
	if over := len(*t) - 2*tailSize; over > 0 {
		*t = append((*t)[:0], (*t)[len(*t)-tailSize:]...)
	}
}

// descriptions are how the text that describes the devices' state begins: QEMU writes it at the stream's end, after a byte that
// names the section and the text's length (migration/savevm.c, QEMU_VM_VMDESCRIPTION). A QEMU that loads the stream does not miss what is
// cut off of it.
var descriptions = [][]byte{[]byte(`{"configuration"`), []byte(`{"page_size"`)}

const descriptionSection = 6

// cut reports whether the stream ends in the middle of that text. A stream without one is not judged.
func (t tail) cut() bool {
	for _, begin := range descriptions {
		at := bytes.LastIndex(t, begin)
		if at >= 5 && t[at-5] == descriptionSection {
			return uint64(len(t)-at) < uint64(binary.BigEndian.Uint32(t[at-4:]))
		}
	}
	return false
}
