package image

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// installKernel is the remedy where no kernel can be used.
const installKernel = "install one with `apt-get install linux-image-cloud-amd64`, or name a bzImage in guest.kernel"

// A Kernel is a bzImage and its modules.
type Kernel struct {
	Path    string // of the bzImage
	Release string // as in uname -r, read from the image itself
	Modules string // folder that holds modules.dep
}

// FindKernel returns the kernel at the path explicit, or, if that is empty, the one of the newest release
// among the readable /boot/vmlinuz-*. Its modules must be installed under /lib/modules. The error says why
// no kernel can be used and how to get one.
func FindKernel(explicit string) (Kernel, error) {
	return installed{boot: "/boot", modules: "/lib/modules"}.find(explicit)
}

// installed is where a system keeps its kernels.
type installed struct{ boot, modules string }

func (in installed) find(explicit string) (Kernel, error) {
	if explicit != "" {
		return in.open(explicit)
	}
	paths, err := filepath.Glob(filepath.Join(in.boot, "vmlinuz-*"))
	if err != nil {
		return Kernel{}, fmt.Errorf("list kernels in %s: %w", in.boot, err)
	}
	var (
		found   []Kernel
		refused []error
	)
	for _, path := range paths {
		k, err := in.open(path)
		if err != nil {
			refused = append(refused, err)
			continue
		}
		found = append(found, k)
	}
	if len(found) == 0 {
		if len(refused) == 0 {
			return Kernel{}, fmt.Errorf("find a kernel for the guest: no vmlinuz-* in %s: %s", in.boot, installKernel)
		}
		return Kernel{}, fmt.Errorf("find a kernel for the guest in %s: %w: %s", in.boot, errors.Join(refused...), installKernel)
	}
	return slices.MaxFunc(found, func(a, b Kernel) int {
		if c := compareReleases(a.Release, b.Release); c != 0 {
			return c
		}
		return strings.Compare(a.Path, b.Path)
	}), nil
}

// open reads the kernel at path.
func (in installed) open(path string) (Kernel, error) {
	release, err := readRelease(path)
	if err != nil {
		return Kernel{}, fmt.Errorf("read kernel %s: %w: %s", path, err, installKernel)
	}
	k := Kernel{Path: path, Release: release, Modules: filepath.Join(in.modules, release)}
	if _, err := os.Stat(filepath.Join(k.Modules, "modules.dep")); err != nil {
		return Kernel{}, fmt.Errorf("find modules of kernel %s: %w: install the package of Linux %s whole", path, err, release)
	}
	return k, nil
}
