package qemu

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"virtscope/testbed/guest"
)

// A guest whose start was observed, on a microvm with a memory file, migrates there and back: each end has its own file.
func TestObservedMicroVMMigrates(t *testing.T) {
	needReal(t)
	if img, err := builtImage(); err != nil || !slices.Contains(img.Modules, "virtio_mmio") {
		t.Skipf("needs an initramfs with virtio_mmio: %v, %v", img.Modules, err)
	}
	file := filepath.Join(memoryDir(t), "memory")
	tr := newTrip(t, func(s *guest.Spec) {
		s.Machine, s.Start = machineMicroVM, guest.Start{MemoryFile: file, Observe: true, Balloon: true}
		s.Append += ObserveAppend(s.Machine, s.Start.Boot)
	})
	tr.writes(8 << 20)
	for range 2 {
		if err := tr.move(guest.MigrateOptions{Algorithm: guest.PreCopy}); err != nil {
			t.Fatal(err)
		}
	}
	tr.intact()
	if err := tr.guest.Close(); err != nil {
		t.Error(err)
	}
	left, err := filepath.Glob(filepath.Dir(file) + "/*")
	if err != nil || len(left) > 0 {
		t.Errorf("left: %q, %v", left, err)
	}
	if _, err := os.Lstat(tr.spec.Dir + "/src-1.serial"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a socket is left: %v", err)
	}
}
