package image

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/cavaliergopher/cpio"
)

// klibcTools are the programs of klibc-utils, which comes with initramfs-tools, that the initramfs runs.
var klibcTools = []string{"sh", "mount", "insmod", "run-init", "sleep", "cat"}

// rootPatience is how often, every 50 ms, the initramfs looks for the disk.
const rootPatience = 200

// initrdScript is its /init. It says nothing: what it takes is the kernel's time to PID 1 of the disk.
const initrdScript = `#!/bin/sh
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
%sroot= init=/sbin/init
for word in $(cat /proc/cmdline); do
	case $word in
	root=*) root=${word#root=} ;;
	init=*) init=${word#init=} ;;
	esac
done
n=0
while [ ! -b "$root" ] && [ $n -lt %d ]; do sleep 0.05; n=$((n + 1)); done
mount -t ext4 -o rw "$root" /root || echo "virtscope: cannot mount root=$root: give the disk as the first virtio disk"
mount -o move /dev /root/dev
mount -o move /proc /root/proc
exec run-init /root "$init" </root/dev/console >/root/dev/console 2>&1
`

// smallInitrd is an initramfs with the drivers of virtio disks, a shell, and nothing else: it mounts root= and becomes its init.
// Debian's own starts udev twice.
func smallInitrd(tree string, k Kernel) ([]byte, error) {
	var files []file
	add := func(name, from string) error {
		data, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		files = append(files, file{name: name, mode: 0o755, data: data})
		return nil
	}
	for _, name := range klibcTools {
		if err := add("bin/"+name, filepath.Join(tree, "usr/lib/klibc/bin", name)); err != nil {
			return nil, fmt.Errorf("find a program of klibc-utils: %w", err)
		}
	}
	libraries, err := filepath.Glob(filepath.Join(tree, "usr/lib/klibc-*.so"))
	if err != nil || len(libraries) != 1 {
		return nil, fmt.Errorf("find the library of klibc-utils: %q, %w: want one", libraries, err)
	}
	if err := add("lib/"+filepath.Base(libraries[0]), libraries[0]); err != nil {
		return nil, err
	}
	mods, err := readModuleTree(k.Modules)
	if err != nil {
		return nil, err
	}
	paths, err := mods.closure(debianDrivers)
	if err != nil {
		return nil, err
	}
	var load strings.Builder
	for _, p := range paths {
		data, err := readModule(filepath.Join(k.Modules, p))
		if err != nil {
			return nil, err
		}
		name := path.Join(moduleRoot, moduleName(p)+".ko")
		files = append(files, file{name: name, mode: 0o644, data: data})
		fmt.Fprintf(&load, "insmod /%s\n", name)
	}
	for _, dir := range []string{"proc", "root"} { // an archive has folders of files alone
		files = append(files, file{name: dir + "/.virtscope", mode: cpio.FileMode(0o644)})
	}
	files = append(files, file{name: initName, mode: 0o755, data: fmt.Appendf(nil, initrdScript, load.String(), rootPatience)})
	return archive(files)
}
