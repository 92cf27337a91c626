package qemu

import (
	"bytes"
	"strings"
	"testing"
)

func TestStreamThatIsCutIsSeen(t *testing.T) {
	text := `{"configuration": {}, "page_size": 4096}`
	whole := strings.Repeat("x", 3*tailSize) + "\x00\x06\x00\x00\x00" + string(rune(len(text))) + text
	for _, c := range []struct {
		name, stream string
		want         bool
	}{
		{"whole", whole, false},
		{"with more after it", whole + "more", false},
		{"without its last byte", whole[:len(whole)-1], true},
		{"without a text", "QEVM", false},
		{"empty", "", false},
		{"a text that is no section", text, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var last tail
			for part := range bytes.SplitSeq([]byte(c.stream), []byte{0}) { // in pieces
				last.add(part)
				last.add([]byte{0})
			}
			last = last[:max(0, len(last)-1)]
			if got := last.cut(); got != c.want {
				t.Errorf("cut %v, want %v", got, c.want)
			}
			if len(last) > 2*tailSize {
				t.Errorf("%d B are kept", len(last))
			}
		})
	}
}
