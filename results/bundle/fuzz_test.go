package bundle

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// What Verify calls whole is extracted, and packs into a folder that it holds for the same; of all else nothing is left.
func FuzzExtract(f *testing.F) {
	f.Add(packed(f, folder(f)))
	f.Add(sealed(forged(f, [2]string{indexName, `{"format":1,"files":[{"path":"a/b","size":1,"sha256":"` + sumOfA + `"}]}`}, [2]string{"a/b", "a"})))
	f.Add(sealed(forged(f, [2]string{indexName, `{"format":1}`})))
	f.Fuzz(func(t *testing.T, data []byte) {
		const most = 1 << 20
		_, problems := Verify(bytes.NewReader(data))
		parent := t.TempDir()
		index, err := Extract(bytes.NewReader(data), filepath.Join(parent, "out"), most)
		if err == nil {
			if len(problems) > 0 {
				t.Errorf("extracted what is damaged: %v", problems)
			}
			if differ := Against(index, filepath.Join(parent, "out")); len(differ) > 0 {
				t.Errorf("extracted, and differs: %v", differ)
			}
			return
		}
		if len(problems) == 0 && !errors.Is(err, ErrTooLarge) {
			t.Errorf("whole, and not extracted: %v", err)
		}
		if left, _ := os.ReadDir(parent); len(left) != 0 {
			t.Errorf("%v left %v", err, left)
		}
	})
}
