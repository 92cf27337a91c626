package image

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cavaliergopher/cpio"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// packed compresses data as the file name's extension says.
func packed(t *testing.T, name string, data []byte) []byte {
	t.Helper()
	var (
		buf bytes.Buffer
		w   io.WriteCloser
		err error
	)
	switch filepath.Ext(name) {
	case ".gz":
		w = gzip.NewWriter(&buf)
	case ".xz":
		w, err = xz.NewWriter(&buf)
	case ".zst":
		w, err = zstd.NewWriter(&buf)
	default:
		return data
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// fixture lays out a kernel whose modules are compressed in every way, and an init.
func fixture(t *testing.T) Options {
	t.Helper()
	root := t.TempDir()
	o := Options{
		Kernel:   Kernel{Path: filepath.Join(root, "vmlinuz"), Release: "6.10.2", Modules: filepath.Join(root, "modules")},
		Init:     filepath.Join(root, "guest"),
		CacheDir: filepath.Join(root, "cache", "images"),
	}
	writeFile(t, o.Kernel.Path, bzImage("6.10.2 x"))
	writeFile(t, o.Init, []byte("the init"))
	writeFile(t, filepath.Join(o.Kernel.Modules, "modules.dep"), []byte(`kernel/net/virtio_net.ko.xz: kernel/net/net_failover.ko kernel/net/failover.ko.gz kernel/virtio/virtio_ring.ko.zst
kernel/net/net_failover.ko: kernel/net/failover.ko.gz
kernel/net/failover.ko.gz:
kernel/virtio/virtio_ring.ko.zst:
kernel/virtio/virtio-pci.ko: kernel/virtio/virtio_ring.ko.zst kernel/virtio/virtio.ko
kernel/other/unneeded.ko: kernel/net/failover.ko.gz
`))
	writeFile(t, filepath.Join(o.Kernel.Modules, "modules.builtin"), []byte("kernel/virtio/virtio.ko\nkernel/block/virtio_blk.ko\nkernel/char/virtio_console.ko\n"))
	for _, name := range []string{
		"kernel/net/virtio_net.ko.xz", "kernel/net/net_failover.ko", "kernel/net/failover.ko.gz",
		"kernel/virtio/virtio_ring.ko.zst", "kernel/virtio/virtio-pci.ko",
	} {
		writeFile(t, filepath.Join(o.Kernel.Modules, name), packed(t, name, []byte("code of "+moduleName(name))))
	}
	return o
}

func TestBuild(t *testing.T) {
	o := fixture(t)
	img, err := Build(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"virtio_ring", "virtio_pci", "failover", "net_failover", "virtio_net"}
	if !slices.Equal(img.Modules, want) {
		t.Errorf("modules are %v, want %v", img.Modules, want)
	}
	if img.Kernel != o.Kernel.Path || img.Release != "6.10.2" || len(img.Hash) != 64 {
		t.Errorf("image is %+v", img)
	}

	// Read it back.
	data, err := os.ReadFile(img.Initrd)
	if err != nil {
		t.Fatal(err)
	}
	content, modes, inodes := map[string]string{}, map[string]cpio.FileMode{}, map[int64]bool{}
	r := cpio.NewReader(bytes.NewReader(data))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		content[h.Name], modes[h.Name] = string(b), h.Mode
		if inodes[h.Inode] || h.ModTime.Unix() != 0 || h.Uid != 0 || h.Guid != 0 {
			t.Errorf("%s has inode %d, time %v, owner %d:%d", h.Name, h.Inode, h.ModTime, h.Uid, h.Guid)
		}
		inodes[h.Inode] = true
		if dir := filepath.Dir(h.Name); dir != "." && !modes[dir].IsDir() {
			t.Errorf("%s comes before its folder", h.Name)
		}
	}
	var list strings.Builder
	for _, name := range want {
		fmt.Fprintf(&list, "/lib/modules/%s.ko\n", name)
		if got := content["lib/modules/"+name+".ko"]; got != "code of "+name {
			t.Errorf("module %s holds %q", name, got)
		}
	}
	if content["etc/virtscope/modules"] != list.String() {
		t.Errorf("the list of modules is %q", content["etc/virtscope/modules"])
	}
	if content["init"] != "the init" || modes["init"] != cpio.TypeReg|0o755 {
		t.Errorf("init is %q with mode %v", content["init"], modes["init"])
	}
	if modes["dev/console"] != cpio.TypeChar|0o600 {
		t.Errorf("the console has mode %v", modes["dev/console"])
	}
	if len(content) != 5+5+3 { // folders, modules; console, init and list
		t.Errorf("the archive holds %d entries: %v", len(content), modes)
	}
	// Package cpio does not read device numbers: 5:1, the last fields before the name's length.
	if i := bytes.Index(data, []byte("dev/console")); string(data[i-110+78:i-110+94]) != "0000000500000001" {
		t.Errorf("the console's device is %q", data[i-110+78:i-110+94])
	}
}

func TestBuildIsReproducible(t *testing.T) {
	o := fixture(t)
	one, err := Build(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := fixture(t)
	two, err := Build(t.Context(), elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := os.ReadFile(one.Initrd)
	b, _ := os.ReadFile(two.Initrd)
	if one.Hash != two.Hash || len(a) == 0 || !bytes.Equal(a, b) {
		t.Errorf("two builds of the same differ: %+v, %+v", one, two)
	}
	writeFile(t, elsewhere.Init, []byte("another init"))
	three, err := Build(t.Context(), elsewhere)
	if err != nil || three.Hash == two.Hash || three.Initrd == two.Initrd {
		t.Errorf("another init gives %+v, %v", three, err)
	}
	writeFile(t, o.Kernel.Path, bzImage("6.10.2 y"))
	four, err := Build(t.Context(), o)
	if err != nil || four.Hash == one.Hash || four.Initrd != one.Initrd {
		t.Errorf("another kernel gives %+v, %v", four, err)
	}
}

func TestBuildConcurrentlyAndAfterDamage(t *testing.T) {
	o := fixture(t)
	var builders sync.WaitGroup
	images := make([]Image, 8)
	for i := range images {
		builders.Go(func() {
			img, err := Build(t.Context(), o)
			if err != nil {
				t.Error(err)
			}
			images[i] = img
		})
	}
	builders.Wait()
	for _, img := range images {
		if img.Initrd != images[0].Initrd || img.Hash != images[0].Hash {
			t.Errorf("images differ: %+v, %+v", img, images[0])
		}
	}
	whole, err := os.ReadFile(images[0].Initrd)
	if err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(o.CacheDir); len(entries) != 1 {
		t.Errorf("the cache holds %v, want the image alone", entries)
	}
	if err := os.Truncate(images[0].Initrd, 10); err != nil {
		t.Fatal(err)
	}
	if _, err := Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if again, _ := os.ReadFile(images[0].Initrd); !bytes.Equal(again, whole) {
		t.Error("a cut-off image in the cache is kept")
	}
}

func TestBuildErrors(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		damage     func(o *Options)
	}{
		{"no init", "the guest's init", func(o *Options) { o.Init += "x" }},
		{"no modules.dep", "modules.dep", func(o *Options) { os.Remove(filepath.Join(o.Kernel.Modules, "modules.dep")) }},
		{"no virtio", "virtio_pci", func(o *Options) { writeFile(t, filepath.Join(o.Kernel.Modules, "modules.dep"), nil) }},
		{"module missing", "failover.ko.gz", func(o *Options) { os.Remove(filepath.Join(o.Kernel.Modules, "kernel/net/failover.ko.gz")) }},
		{"module damaged", "virtio_ring.ko.zst", func(o *Options) {
			writeFile(t, filepath.Join(o.Kernel.Modules, "kernel/virtio/virtio_ring.ko.zst"), []byte("not zstd"))
		}},
		{"no kernel", "hash kernel", func(o *Options) { os.Remove(o.Kernel.Path) }},
		{"cache is a file", "image cache", func(o *Options) { o.CacheDir = o.Init }},
	} {
		o := fixture(t)
		tt.damage(&o)
		if _, err := Build(t.Context(), o); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Build = %v, want an error about %s", tt.name, err, tt.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Build(ctx, fixture(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("Build with a cancelled context = %v", err)
	}
}
