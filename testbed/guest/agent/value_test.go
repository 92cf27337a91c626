package agent

import (
	"bytes"
	"testing"
)

func TestFillValue(t *testing.T) {
	fill := func(size int, n, version uint64) []byte {
		v := make([]byte, size)
		FillValue(v, n, version)
		return v
	}
	for _, size := range []int{8, 13, 100} {
		base := fill(size, 5, 0)
		if !bytes.Equal(base, fill(size, 5, 0)) {
			t.Errorf("size %d: a value differs from itself", size)
		}
		for name, other := range map[string][]byte{"key": fill(size, 6, 0), "version": fill(size, 5, 1), "both": fill(size, 6, 1)} {
			if bytes.Equal(base, other) || bytes.Equal(base[size-5:], other[size-5:]) {
				t.Errorf("size %d: another %s gives the same value", size, name)
			}
		}
		if !bytes.Equal(fill(2*size, 5, 0)[:size/8*8], base[:size/8*8]) {
			t.Errorf("size %d: a longer value does not begin as it", size)
		}
	}
}
