package image

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// DebianAppend is the kernel's command line of a Debian disk, without its address: Append, and
//
//   - root=/dev/vda1 rw: the first virtio disk's first partition.
//   - net.ifnames=0: its card is eth0, whatever its place on the bus.
const DebianAppend = Append + " root=/dev/vda1 rw net.ifnames=0"

const networkScript = `#!/bin/sh
# Gives the first card the address of ` + AddressParam + `, from the kernel's command line or the SMBIOS.
address=
for word in $(cat /proc/cmdline); do
	case $word in ` + AddressParam + `=*) address=${word#*=} ;; esac
done
[ -n "$address" ] || address=$(cat /sys/firmware/dmi/entries/11-*/raw 2>/dev/null | tr '\0' '\n' | sed -n 's/^.*` + AddressParam + `=//p' | head -n 1)
[ -n "$address" ] || exit 0
ip link set lo up
ip address replace "$address" dev eth0
exec ip link set eth0 up
`

const networkUnit = `[Unit]
Description=virtscope's address of the guest
DefaultDependencies=no
Wants=network.target
After=local-fs.target
Before=network.target
ConditionPathExists=|/sys/firmware/dmi/entries/11-0
ConditionKernelCommandLine=|` + AddressParam + `

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/lib/virtscope/network

[Install]
WantedBy=multi-user.target
`

// diskFiles are what a Debian disk has beside its packages.
func diskFiles(o DebianOptions) map[string]file {
	text := func(s string) file { return file{mode: 0o644, data: []byte(s)} }
	files := map[string]file{
		"etc/hostname": text("virtscope\n"),
		"etc/hosts":    text("127.0.0.1 localhost virtscope\n::1 localhost\n"),
		// No check: the disk is new, and made whole.
		"etc/fstab":      text("/dev/vda1 / ext4 errors=remount-ro 0 0\n"),
		"etc/machine-id": text(""), // the first boot makes one
		"etc/systemd/system/virtscope-network.service": text(networkUnit),
		"usr/local/lib/virtscope/network":              {mode: 0o755, data: []byte(networkScript)},
	}
	if o.Agent != "" {
		files[strings.TrimPrefix(AgentUnitPath, "/")] = text(AgentUnit)
	}
	if o.AuthorizedKey != "" {
		files["root/.ssh/authorized_keys"] = file{mode: 0o600, data: []byte(o.AuthorizedKey + "\n")}
	}
	if o.CloudInit {
		// It would ask the clouds of this world, each in turn, for who it is.
		files["etc/cloud/cloud.cfg.d/99-virtscope.cfg"] = text("datasource_list: [NoCloud, None]\n")
	}
	return files
}

// diskLinks are links by their place, with what they point to. A link to /dev/null masks a unit.
func diskLinks(o DebianOptions) map[string]string {
	const system, wants = "etc/systemd/system/", "etc/systemd/system/multi-user.target.wants/"
	links := map[string]string{
		wants + "virtscope-network.service": "/etc/systemd/system/virtscope-network.service",
		// Nobody logs in at a console: getty would only wait for it.
		"etc/systemd/system-generators/systemd-getty-generator": "/dev/null",
		system + "getty.target":                                 "/dev/null",
	}
	if o.Agent != "" {
		links[strings.TrimPrefix(AgentUnitLink, "/")] = AgentUnitPath
	}
	return links
}

// leftovers are of the build, or would start by themselves in the middle of a trial.
var leftovers = []string{
	"etc/systemd/system/timers.target.wants", "etc/systemd/system/getty.target.wants", "etc/resolv.conf", "etc/apt/sources.list.d", "var/lib/systemd/random-seed",
	"var/lib/dbus/machine-id", "var/cache", "var/lib/apt", "var/log", "boot/initrd.img-*", "initrd.img*", "vmlinuz*",
}

// furnish makes a tree of packages the content of the disk.
func (b *debianBuild) furnish(tree string, d Debian) error {
	for _, pattern := range leftovers {
		paths, err := filepath.Glob(filepath.Join(tree, pattern))
		if err != nil {
			return err
		}
		for _, path := range paths {
			if err := os.RemoveAll(path); err != nil {
				return err
			}
		}
	}
	for _, dir := range append(mountPoints, "var/cache", "var/log/journal", "var/lib/apt/lists", "root/.ssh") {
		if err := os.MkdirAll(filepath.Join(tree, dir), 0o755); err != nil {
			return err
		}
	}
	if err := os.Chmod(filepath.Join(tree, "root/.ssh"), 0o700); err != nil {
		return err
	}
	for name, f := range diskFiles(b.o) {
		if err := place(filepath.Join(tree, name), f.data, os.FileMode(f.mode)); err != nil {
			return err
		}
	}
	if b.o.Agent != "" {
		data, err := os.ReadFile(b.o.Agent)
		if err != nil {
			return fmt.Errorf("read the agent: %w", err)
		}
		if err := place(filepath.Join(tree, AgentPath), data, 0o755); err != nil {
			return err
		}
	}
	for name, to := range diskLinks(b.o) {
		path := filepath.Join(tree, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.Symlink(to, path); err != nil {
			return err
		}
	}
	return b.upToDate(tree, d)
}

// upToDate keeps systemd from rebuilding at the first boot what the packages have built (systemd-update-done.service(8)).
func (b *debianBuild) upToDate(tree string, d Debian) error {
	initrd, err := os.ReadFile(d.Initrd)
	if err != nil {
		return err
	}
	if err := place(filepath.Join(tree, "boot/initrd.img-"+d.Release), initrd, 0o644); err != nil {
		return err
	}
	now := time.Now()
	for _, name := range []string{"etc/.updated", "var/.updated"} {
		path := filepath.Join(tree, name)
		if err := place(path, nil, 0o644); err != nil {
			return err
		}
		if err := os.Chtimes(path, now, now); err != nil {
			return err
		}
	}
	return os.Chtimes(filepath.Join(tree, "usr"), now, now)
}

// place writes a file in place of what is there, which may be a link to somewhere else.
func place(path string, data []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(path, data, mode); err != nil {
		return err
	}
	return os.Chmod(path, mode) // whatever the umask is
}
