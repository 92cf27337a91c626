package image

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"virtscope/testbed/guest"
)

func make8(t *testing.T, filled float64, format string, seed uint64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk")
	if err := MakeDisk(t.Context(), path, 8<<20, filled, format, seed); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestMakeDisk(t *testing.T) {
	for _, c := range []struct {
		filled float64
		data   int
	}{{0, 0}, {1e-9, 4096}, {0.25, 2 << 20}, {1, 8 << 20}} {
		got := read(t, make8(t, c.filled, Raw, 7))
		if len(got) != 8<<20 {
			t.Errorf("filled %v: the disk has %d B", c.filled, len(got))
		}
		if c.data > 0 && bytes.Count(got[:c.data], []byte{0}) > c.data/128 {
			t.Errorf("filled %v: the first %d B are not random", c.filled, c.data)
		}
		if rest := got[c.data:]; bytes.Count(rest, []byte{0}) != len(rest) {
			t.Errorf("filled %v: what lies behind %d B is not zero", c.filled, c.data)
		}
	}
	a, b, other := read(t, make8(t, 0.5, Raw, 7)), read(t, make8(t, 0.5, Raw, 7)), read(t, make8(t, 0.5, Raw, 8))
	if !bytes.Equal(a, b) {
		t.Error("one seed makes two disks")
	}
	if bytes.Equal(a, other) {
		t.Error("two seeds make one disk")
	}
}

// allocated is how much of the file system a file takes, in B.
func allocated(t *testing.T, path string) int64 {
	t.Helper()
	var s syscall.Stat_t
	if err := syscall.Stat(path, &s); err != nil {
		t.Fatal(err)
	}
	return s.Blocks * 512
}

func TestSparseStaysSparse(t *testing.T) {
	path := make8(t, 0.25, Raw, 1)
	if n := allocated(t, path); n > 4<<20 {
		t.Errorf("a quarter of 8 MiB takes %d B", n)
	}
	dst := filepath.Join(t.TempDir(), "copy")
	if err := CopyDisk(t.Context(), path, dst); err != nil {
		t.Fatal(err)
	}
	if n := allocated(t, dst); n > 4<<20 {
		t.Errorf("its copy takes %d B", n)
	}
	if !bytes.Equal(read(t, path), read(t, dst)) {
		t.Error("the copy is another disk")
	}
}

func TestMakeDiskRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		size   int64
		filled float64
		format string
	}{
		"no size":      {0, 1, Raw},
		"half sectors": {1000, 1, Raw},
		"too full":     {4096, 1.1, Raw},
		"negative":     {4096, -1, Raw},
		"format":       {4096, 1, "vdi"},
	} {
		path := filepath.Join(t.TempDir(), "disk")
		if err := MakeDisk(t.Context(), path, c.size, c.filled, c.format, 1); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: something was made: %v", name, err)
		}
	}
}

// Whatever ends the work, the disk that was there stays, and nothing is left beside it.
func TestMakeDiskCancelled(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "disk")
	if err := os.WriteFile(path, []byte("before"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := MakeDisk(ctx, path, 8<<20, 1, Raw, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
	if got := read(t, path); string(got) != "before" {
		t.Error("the disk that was there is gone")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left: %v, %v", entries, err)
	}
}

func TestPrepareDisk(t *testing.T) {
	cache, dir := filepath.Join(t.TempDir(), "cache"), t.TempDir()
	path := filepath.Join(dir, "disk")
	prepare := func(seed uint64) []byte {
		t.Helper()
		if err := PrepareDisk(t.Context(), cache, path, 1<<20, 0.5, Raw, seed); err != nil {
			t.Fatal(err)
		}
		return read(t, path)
	}
	first := prepare(3)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("a trial writes to its disk"), 4096); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(read(t, path), first) {
		t.Fatal("the write did not arrive")
	}
	if !bytes.Equal(prepare(3), first) {
		t.Error("a trial's write reached the cache")
	}
	if bytes.Equal(prepare(4), first) {
		t.Error("another seed found the same disk")
	}
	if entries, err := os.ReadDir(cache); err != nil || len(entries) != 2 {
		t.Errorf("the cache holds %v, %v; want one disk of each seed", entries, err)
	}
}

func TestVerifyDisks(t *testing.T) {
	for _, c := range []struct {
		name   string
		change []int64 // B that are changed
		want   DiskDifference
	}{
		{"alike", nil, DiskDifference{8 << 20, 0, -1}},
		{"one byte", []int64{5<<20 + 700}, DiskDifference{8 << 20, 512, 5<<20 + 512}},
		{"two of a sector", []int64{1024, 1535}, DiskDifference{8 << 20, 512, 1024}},
		{"first and last", []int64{0, 8<<20 - 1}, DiskDifference{8 << 20, 1024, 0}},
	} {
		a, b := make8(t, 0.5, Raw, 1), make8(t, 0.5, Raw, 1)
		data := read(t, b)
		for _, at := range c.change {
			data[at] ^= 0xff
		}
		if err := os.WriteFile(b, data, 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := VerifyDisks(t.Context(), a, b, Raw)
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", c.name, got, err, c.want)
		}
	}
	short := filepath.Join(t.TempDir(), "short")
	if err := os.WriteFile(short, make([]byte, 512), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := VerifyDisks(t.Context(), make8(t, 0, Raw, 1), short, Raw); err == nil {
		t.Error("disks of different size are compared")
	}
}

func TestQCOW2(t *testing.T) {
	if _, err := exec.LookPath(qemuImg); err != nil {
		t.Skip("needs qemu-img (apt-get install qemu-utils):", err)
	}
	a, raw := make8(t, 0.5, QCOW2, 1), make8(t, 0.5, Raw, 1)
	if got := read(t, a)[:4]; string(got) != "QFI\xfb" {
		t.Errorf("the image begins with %q", got)
	}
	if d, err := VerifyDisks(t.Context(), a, make8(t, 0.5, QCOW2, 1), QCOW2); err != nil || d.Differs != 0 || d.Compared != 8<<20 {
		t.Errorf("one seed: %+v, %v", d, err)
	}
	if d, err := VerifyDisks(t.Context(), a, make8(t, 0, QCOW2, 1), QCOW2); err != nil || d.Differs != 4<<20 || d.First != 0 {
		t.Errorf("an empty one: %+v, %v; want 4 MiB to differ", d, err)
	}
	unpacked, remove, err := unpack(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, unpacked), read(t, raw)) {
		t.Error("the two formats hold different disks")
	}
	remove()
	if _, err := os.Stat(unpacked); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its raw copy is left: %v", err)
	}
}

func TestQCOW2WithoutTheTool(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	dir := t.TempDir()
	err := MakeDisk(t.Context(), filepath.Join(dir, "disk"), 1<<20, 1, QCOW2, 1)
	var missing *guest.NotSupportedError
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "qemu-utils") {
		t.Errorf("error %v, want one that names the package", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left: %v", entries)
	}
}
