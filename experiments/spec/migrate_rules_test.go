package spec

import (
	"strings"
	"testing"
	"testing/fstest"
)

// A migration that is in post-copy from the start cannot be cancelled; the copy of a disk before it can.
func TestCancelOfPostCopy(t *testing.T) {
	for _, c := range []struct {
		guest, migrate string
		refused        bool
	}{
		{"{}", "{algorithm: postcopy, cancel-after: 1s}", true},
		{"{}", "{algorithm: postcopy, postcopy-start: at-once, cancel-after: 1s}", true},
		{"{disk: {storage: shared}}", "{algorithm: postcopy, cancel-after: 1s}", true},
		{"{disk: {storage: local}}", "{algorithm: postcopy, cancel-after: 1s}", false},
		{"{}", "{algorithm: postcopy, postcopy-start: 2 rounds, cancel-after: 1s}", false},
		{"{}", "{algorithm: postcopy, postcopy-start: not-converging, cancel-after: 1s}", false},
		{"{}", "{algorithm: postcopy, kill-destination-after: 1s}", false},
		{"{}", "{algorithm: precopy, cancel-after: 1s}", false},
	} {
		text := "virtscope: 1\nname: x\nguest: " + c.guest + "\naction: {migrate: " + c.migrate + "}\n"
		_, err := LoadFS(fstest.MapFS{"x.yaml": {Data: []byte(text)}}, "x.yaml")
		if refused := err != nil && strings.Contains(err.Error(), "which cannot be cancelled"); refused != c.refused || err != nil && !refused {
			t.Errorf("%s %s: %v", c.guest, c.migrate, err)
		}
	}
}
