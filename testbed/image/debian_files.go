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
n=0
while [ ! -e /sys/class/net/eth0 ] && [ $n -lt 100 ]; do sleep 0.05; n=$((n + 1)); done
ip address replace "$address" dev eth0
exec ip link set eth0 up
`

const networkUnit = `[Unit]
Description=virtscope's address of the guest
DefaultDependencies=no
Wants=network.target
After=local-fs.target
Before=network.target virtscope-agent.service
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
		// It would ask the clouds of this world, each in turn, for who it is. The file system fills its disk already.
		files["etc/cloud/cloud.cfg.d/99-virtscope.cfg"] = text("datasource_list: [NoCloud, None]\nresize_rootfs: false\ngrowpart: {mode: 'off'}\n")
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
	if o.CloudInit { // it has networkd set what a seed says of the network; nobody waits for that
		links[wants+"systemd-networkd.service"] = "/lib/systemd/system/systemd-networkd.service"
		links[system+"systemd-networkd-wait-online.service"] = "/dev/null"
	}
	if o.Agent != "" {
		links[strings.TrimPrefix(AgentUnitLink, "/")] = AgentUnitPath
	}
	return links
}

// leftovers are of the build and of this machine, or would start by themselves in the middle of a trial.
var leftovers = []string{
	"etc/systemd/system/timers.target.wants", "etc/systemd/system/getty.target.wants", "etc/resolv.conf", "var/lib/systemd/random-seed",
	"etc/apt/sources.list.d", "etc/apt/apt.conf.d/99mmdebstrap", "etc/dpkg/dpkg.cfg.d/99mmdebstrap", "var/lib/dbus/machine-id",
	"var/cache/apt", "var/lib/apt/lists", "var/log/*.log", "var/log/apt", "boot/initrd.img-*", "initrd.img*", "vmlinuz*",
}

// furnish makes a tree of packages the content of the disk. A link in the tree leads nowhere outside of it.
func (b *debianBuild) furnish(tree string, d Debian) error {
	root, err := os.OpenRoot(tree)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	if err := tidy(root); err != nil {
		return err
	}
	files := diskFiles(b.o)
	if b.o.Agent != "" {
		data, err := os.ReadFile(b.o.Agent)
		if err != nil {
			return fmt.Errorf("read the agent: %w", err)
		}
		files[AgentPath[1:]] = file{mode: 0o755, data: data}
	}
	initrd, err := os.ReadFile(d.Initrd)
	if err != nil {
		return err
	}
	files["boot/initrd.img-"+d.Release] = file{mode: 0o644, data: initrd}
	for name, f := range files {
		if err := place(root, name, f.data, os.FileMode(f.mode)); err != nil {
			return err
		}
	}
	for name, to := range diskLinks(b.o) {
		err := errors.Join(root.MkdirAll(filepath.Dir(name), 0o755), root.RemoveAll(name), root.Symlink(to, name))
		if err != nil {
			return err
		}
	}
	return upToDate(root)
}

// tidy removes what is left over, and makes folders that are needed.
func tidy(root *os.Root) error {
	for _, pattern := range leftovers {
		paths, err := fs.Glob(root.FS(), pattern)
		if err != nil {
			return err
		}
		for _, path := range paths {
			if err := root.RemoveAll(path); err != nil {
				return err
			}
		}
	}
	for _, dir := range append([]string{"var/log/journal", "var/lib/apt/lists", "root/.ssh"}, mountPoints...) {
		if err := root.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	return errors.Join(root.Chmod("root/.ssh", 0o700), root.Chmod("tmp", 0o777|os.ModeSticky))
}

// upToDate keeps systemd from rebuilding at the first boot what the packages have built (systemd-update-done.service(8)).
func upToDate(root *os.Root) error {
	now := time.Now()
	for _, name := range []string{"etc/.updated", "var/.updated"} {
		if err := errors.Join(place(root, name, nil, 0o644), root.Chtimes(name, now, now)); err != nil {
			return err
		}
	}
	return root.Chtimes("usr", now, now)
}

// place writes a file in place of what is there, which may be a link.
func place(root *os.Root, name string, data []byte, mode os.FileMode) error {
	err := errors.Join(root.MkdirAll(filepath.Dir(name), 0o755), root.RemoveAll(name), root.WriteFile(name, data, mode))
	if err != nil {
		return err
	}
	return root.Chmod(name, mode) // whatever the umask is
}
