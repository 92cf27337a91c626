package image

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func newTree() moduleTree {
	return moduleTree{path: map[string]string{}, needs: map[string][]string{}, builtin: map[string]bool{}}
}

// The lines are those of Debian's 6.1.0-56-cloud-amd64, in another order.
const debianDep = `kernel/drivers/net/virtio_net.ko: kernel/drivers/net/net_failover.ko kernel/net/core/failover.ko kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko
kernel/drivers/char/virtio_console.ko: kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko
kernel/drivers/block/virtio_blk.ko: kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko
kernel/drivers/virtio/virtio_pci.ko: kernel/drivers/virtio/virtio_pci_legacy_dev.ko kernel/drivers/virtio/virtio_pci_modern_dev.ko kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko
kernel/drivers/virtio/virtio.ko: kernel/drivers/virtio/virtio_ring.ko
kernel/drivers/virtio/virtio_ring.ko:
kernel/drivers/virtio/virtio_pci_modern_dev.ko:
kernel/drivers/virtio/virtio_pci_legacy_dev.ko:
kernel/net/core/failover.ko:
kernel/drivers/net/net_failover.ko: kernel/net/core/failover.ko
kernel/fs/fuse/virtiofs.ko: kernel/drivers/virtio/virtio.ko
`

func TestClosure(t *testing.T) {
	tree := newTree()
	if err := tree.parseDep(strings.NewReader(debianDep)); err != nil {
		t.Fatal(err)
	}
	paths, err := tree.closure(wanted)
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, p := range paths {
		at[p] = i
	}
	if len(paths) != 10 || len(at) != 10 {
		t.Errorf("closure is %v, want 10 modules once each", paths)
	}
	for _, p := range paths {
		for _, need := range tree.needs[p] {
			if i, ok := at[need]; !ok || i >= at[p] {
				t.Errorf("%s comes before %s, which it needs", p, need)
			}
		}
	}
	if _, err := tree.closure([]string{"ext4"}); err == nil || !strings.Contains(err.Error(), "ext4") {
		t.Errorf("closure of a missing module = %v", err)
	}
}

// A kernel that has no balloon and no MMIO bus is as good as one that has both, for guests that need neither.
func TestModulesFor(t *testing.T) {
	tree := newTree()
	if err := tree.parseDep(strings.NewReader(debianDep)); err != nil {
		t.Fatal(err)
	}
	without, err := tree.modulesFor()
	if err != nil {
		t.Fatal(err)
	}
	const more = "kernel/drivers/virtio/virtio_mmio.ko: kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko\n" +
		"kernel/drivers/virtio/virtio_balloon.ko: kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko\n"
	if err := tree.parseDep(strings.NewReader(more)); err != nil {
		t.Fatal(err)
	}
	with, err := tree.modulesFor()
	want := append(slices.Clone(without), "kernel/drivers/virtio/virtio_mmio.ko", "kernel/drivers/virtio/virtio_balloon.ko")
	if err != nil || !slices.Equal(with, want) {
		t.Errorf("modules are %v, %v, want %v", with, err, want)
	}
	if tree := newTree(); tree.has("virtio_pci") {
		t.Error("a module is found in an empty tree")
	}
}

func TestClosureLeavesOutBuiltins(t *testing.T) {
	tree := newTree()
	if err := tree.parseDep(strings.NewReader(debianDep)); err != nil {
		t.Fatal(err)
	}
	if err := tree.parseBuiltin(strings.NewReader("kernel/drivers/virtio/virtio.ko\nkernel/drivers/virtio/virtio-ring.ko\nkernel/drivers/char/virtio_console.ko\n")); err != nil {
		t.Fatal(err)
	}
	paths, err := tree.closure([]string{"virtio_console", "virtio_net"})
	want := []string{"kernel/net/core/failover.ko", "kernel/drivers/net/net_failover.ko", "kernel/drivers/net/virtio_net.ko"}
	if err != nil || !slices.Equal(paths, want) {
		t.Errorf("closure = %v, %v, want %v", paths, err, want)
	}
}

func TestClosureEndsOnCycle(t *testing.T) {
	tree := newTree()
	if err := tree.parseDep(strings.NewReader("a.ko: b.ko\nb.ko: a.ko\n")); err != nil {
		t.Fatal(err)
	}
	if paths, err := tree.closure([]string{"a"}); err != nil || !slices.Equal(paths, []string{"b.ko", "a.ko"}) {
		t.Errorf("closure = %v, %v", paths, err)
	}
}

func FuzzParseDep(f *testing.F) {
	f.Add(debianDep)
	f.Add("a.ko: b.ko c.ko.xz\nb.ko:\n")
	f.Add("../../etc/passwd:\n")
	f.Add(": :\n")
	f.Fuzz(func(t *testing.T, text string) {
		tree := newTree()
		if tree.parseDep(strings.NewReader(text)) != nil {
			return
		}
		for name := range tree.path {
			paths, err := tree.closure([]string{name})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range paths {
				if !filepath.IsLocal(p) {
					t.Errorf("module %q is outside its folder", p)
				}
			}
		}
	})
}

// The installed kernel, if there is one, is real input to all of it.
func TestInstalledKernel(t *testing.T) {
	k, err := FindKernel("")
	if err != nil {
		t.Skip("needs a kernel in /boot:", err)
	}
	init := filepath.Join(t.TempDir(), "init")
	writeFile(t, init, []byte("x"))
	img, err := Build(t.Context(), Options{Kernel: k, Init: init, CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(img.Initrd); err != nil || info.Size() == 0 {
		t.Errorf("initramfs: %v, %v", info, err)
	}
}
