package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Where the initramfs holds what; cmd/guest reads the list.
const (
	initName   = "init"
	listName   = "etc/virtscope/modules"
	moduleRoot = "lib/modules"
)

// Options say what an image is made of.
type Options struct {
	Kernel   Kernel
	Init     string // path of the static executable that becomes /init; see FindInit
	CacheDir string // made if missing; images in it are reused and never removed
}

// An Image is what a hypervisor boots.
type Image struct {
	Kernel  string   // path of the bzImage
	Initrd  string   // path of the initramfs
	Hash    string   // SHA-256 over both files' content, in hexadecimal
	Release string   // of the kernel
	Modules []string // names, in the order in which they are loaded; empty if all is built in
}

// Build makes the image, or finds it in the cache. The initramfs appears under its final name only when it
// is whole and on disk, so concurrent builders and a kill at any time are safe.
func Build(ctx context.Context, o Options) (Image, error) {
	img := Image{Kernel: o.Kernel.Path, Release: o.Kernel.Release}
	files, modules, err := contents(ctx, o)
	if err != nil {
		return img, fmt.Errorf("build guest image: %w", err)
	}
	img.Modules = modules
	data, err := archive(files)
	if err != nil {
		return img, fmt.Errorf("build guest image: %w", err)
	}
	if img.Hash, err = hash(o.Kernel.Path, data); err != nil {
		return img, fmt.Errorf("build guest image: %w", err)
	}
	sum := sha256.Sum256(data)
	img.Initrd = filepath.Join(o.CacheDir, "initramfs-"+hex.EncodeToString(sum[:8])+".cpio")
	if err := ctx.Err(); err != nil {
		return img, fmt.Errorf("build guest image: %w", err)
	}
	if err := keep(img.Initrd, data); err != nil {
		return img, fmt.Errorf("build guest image: %w", err)
	}
	return img, nil
}

// contents collects the files of the initramfs and the names of its modules.
func contents(ctx context.Context, o Options) ([]file, []string, error) {
	init, err := os.ReadFile(o.Init)
	if err != nil {
		return nil, nil, fmt.Errorf("read the guest's init: %w", err)
	}
	tree, err := readModuleTree(o.Kernel.Modules)
	if err != nil {
		return nil, nil, fmt.Errorf("read modules of Linux %s: %w", o.Kernel.Release, err)
	}
	paths, err := tree.modulesFor()
	if err != nil {
		return nil, nil, fmt.Errorf("collect modules of Linux %s: %w", o.Kernel.Release, err)
	}
	var (
		names []string
		list  strings.Builder
		files = []file{{name: initName, mode: 0o755, data: init}}
	)
	for _, p := range paths {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		data, err := readModule(filepath.Join(o.Kernel.Modules, p))
		if err != nil {
			return nil, nil, fmt.Errorf("read module: %w", err)
		}
		name := path.Join(moduleRoot, moduleName(p)+".ko")
		files = append(files, file{name: name, mode: 0o644, data: data})
		names = append(names, moduleName(p))
		list.WriteString("/" + name + "\n")
	}
	files = append(files, file{name: listName, mode: 0o644, data: []byte(list.String())})
	return files, names, nil
}

// hash is the SHA-256 over the kernel's and the initramfs's content.
func hash(kernel string, initramfs []byte) (string, error) {
	f, err := os.Open(kernel)
	if err != nil {
		return "", fmt.Errorf("hash kernel: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("hash kernel: %w", err)
	}
	h.Write(initramfs)
	return hex.EncodeToString(h.Sum(nil)), nil
}
