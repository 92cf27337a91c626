package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"virtscope/testbed/guest"
)

// A debianBuild makes one disk in a folder of its own.
type debianBuild struct {
	rootBuild
	o DebianOptions
}

// A tool is a program that a build runs, and its package.
type tool struct{ name, pkg string }

func newDebianBuild(suite string, o DebianOptions) (*debianBuild, error) {
	if os.Geteuid() != 0 {
		return nil, &guest.NotSupportedError{Feature: "building a Debian disk", Where: "this machine", Remedy: "run as root: the files on the disk have many owners"}
	}
	base, err := newRootBuild(suite, o.Packages)
	if err != nil {
		return nil, err
	}
	b := &debianBuild{rootBuild: *base, o: o}
	tools := []tool{{"sfdisk", "fdisk"}}
	if o.Loader {
		tools = append(tools, loaderTools...)
	}
	if o.Format == QCOW2 {
		tools = append(tools, tool{qemuImg, "qemu-utils"})
	}
	var missing, install []string
	for _, t := range tools {
		path, err := lookTool(t.name)
		if err != nil {
			missing, install = append(missing, t.name), append(install, t.pkg)
			continue
		}
		b.tools[t.name] = path
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("find %s: not installed: run scripts/install-deps test, or apt-get install %s",
			strings.Join(missing, " and "), strings.Join(slices.Compact(install), " "))
	}
	if o.Loader {
		return b, checkGRUB()
	}
	return b, nil
}

// make makes the folder that the cache keeps, and returns its path.
func (b *debianBuild) make(ctx context.Context) (string, error) {
	if err := os.Chmod(b.dir, 0o755); err != nil {
		return "", err
	}
	base, err := b.base(ctx)
	if err != nil {
		return "", err
	}
	tree, made := filepath.Join(b.dir, "tree"), filepath.Join(b.dir, "made")
	for _, dir := range []string{tree, made} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return "", err
		}
	}
	if _, err := b.run(ctx, "tar", "-xf", base, "--numeric-owner", "--xattrs", "--xattrs-include=*", "-C", tree); err != nil {
		return "", err
	}
	d := Debian{Format: b.o.Format, Size: b.o.Size, Append: DebianAppend, Loader: b.o.Loader}
	if d.Packages, err = readPackages(filepath.Join(tree, packageList)); err != nil {
		return "", err
	}
	d.Kernel, d.Initrd = filepath.Join(made, debianKernel), filepath.Join(made, debianInitrd)
	if d.Release, err = bootFiles(tree, d.Kernel, d.Initrd); err != nil {
		return "", err
	}
	if err := b.furnish(tree, d); err != nil {
		return "", fmt.Errorf("furnish the disk: %w", err)
	}
	d.Disk = filepath.Join(made, debianDisk+"."+b.o.Format)
	if err := b.disk(ctx, tree, d.Disk, d.Release); err != nil {
		return "", err
	}
	if d.Hash, err = hashFiles(d.Disk, d.Kernel, d.Initrd); err != nil {
		return "", err
	}
	facts, err := json.MarshalIndent(d, "", "\t")
	if err != nil {
		return "", err
	}
	if err := writeSynced(filepath.Join(made, debianFacts), facts); err != nil {
		return "", err
	}
	return made, syncDir(made)
}

const baseArchive = "base.tar"

// base is the path of an archive with the packages, configured. It is kept: a new agent does not need them anew.
func (b *debianBuild) base(ctx context.Context) (string, error) {
	cache := b.o.CacheDir
	final := filepath.Join(cache, "debian-base-"+baseKey(b.suite, b.packages))
	archive := filepath.Join(final, baseArchive)
	if _, err := os.Stat(archive); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return archive, err
	}
	err := inCache(cache, final, func(dir string) (string, error) {
		unpack := b.rootBuild
		unpack.dir = dir
		if err := os.Chmod(dir, 0o755); err != nil {
			return "", err
		}
		made := filepath.Join(dir, "made")
		if err := os.Mkdir(made, 0o755); err != nil {
			return "", err
		}
		path := filepath.Join(made, baseArchive)
		if err := unpack.install(ctx, path); err != nil {
			return "", err
		}
		return made, errors.Join(syncFile(path), syncDir(made))
	})
	return archive, err
}

// install unpacks and configures the packages and what they need into an archive.
func (b *rootBuild) install(ctx context.Context, archive string) error {
	sources, err := aptSources("/etc/apt")
	if err != nil {
		return err
	}
	acquire, err := b.run(ctx, "apt-config", "dump", "Acquire")
	if err != nil {
		return err
	}
	conf := filepath.Join(b.dir, "apt.conf")
	if err := os.WriteFile(conf, []byte(acquire+"APT::Install-Recommends \"0\";\n"), 0o644); err != nil {
		return err
	}
	args := []string{"--quiet", "--mode=root", "--variant=essential", "--include=" + strings.Join(b.packages, ","), "--aptopt=" + conf, "--dpkgopt=force-unsafe-io", "--dpkgopt=force-confold"}
	for _, dir := range []string{"man", "info", "doc", "locale", "bash-completion", "lintian"} {
		args = append(args, "--dpkgopt=path-exclude=/usr/share/"+dir+"/*")
	}
	args = append(args,
		// The initramfs of the distribution is not used: see bootFiles.
		`--essential-hook=mkdir -p "$1/etc/initramfs-tools" && echo update_initramfs=no >"$1/etc/initramfs-tools/update-initramfs.conf"`,
		`--customize-hook=chroot "$1" dpkg-query -W -f '${Package}=${Version}\n' >"$1/`+packageList+`"`,
		"--format=tar", b.suite, archive)
	_, err = b.run(ctx, "mmdebstrap", append(args, sources...)...)
	return err
}

// debianDrivers are what the initramfs loads: what finds the root file system, which may be built in, and the card and the agent's
// port, which else would wait until udev has gone through all devices.
var debianDrivers = append([]string{"virtio_mmio", "ext4"}, wanted...)

// bootFiles copies the kernel from a tree and makes its initramfs, and returns the kernel's release.
func bootFiles(tree, kernel, initrd string) (string, error) {
	k, err := installed{boot: filepath.Join(tree, "boot"), modules: filepath.Join(tree, "usr/lib/modules")}.find("")
	if err != nil {
		return "", err
	}
	data, err := smallInitrd(tree, k)
	if err != nil {
		return "", fmt.Errorf("make the initramfs: %w", err)
	}
	if err := writeSynced(initrd, data); err != nil {
		return "", err
	}
	bz, err := os.ReadFile(k.Path)
	if err != nil {
		return "", err
	}
	return k.Release, writeSynced(kernel, bz)
}
