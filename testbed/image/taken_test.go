package image

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if _, err := Taken(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const data, hole = 1 << 20, 64 << 20
	if _, err := f.WriteAt(make([]byte, data), hole); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if n, err := Taken(path); err != nil || n < data || n > hole {
		t.Errorf("%d B, %v", n, err)
	}
}
