package image

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const someKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJvYXRz somebody@somewhere"

func TestCheckDebian(t *testing.T) {
	o, err := checkDebian(DebianOptions{AuthorizedKey: someKey + "\n", Packages: []string{"redis-server"}})
	if err != nil || o.Size != DefaultDebianSize || o.Format != Raw || o.AuthorizedKey != someKey {
		t.Errorf("options are %+v, %v", o, err)
	}
	for _, name := range []string{"systemd-sysv", "openssh-server", "redis-server", debianKernelPackage} {
		if !slices.Contains(o.Packages, name) {
			t.Errorf("packages are %v, without %s", o.Packages, name)
		}
	}
	if slices.Contains(o.Packages, "cloud-init") {
		t.Error("cloud-init was not asked for")
	}
	for name, bad := range map[string]DebianOptions{
		"small":       {Size: 100 << 20},
		"odd":         {Size: 1<<30 + 512},
		"format":      {Format: "vmdk"},
		"package":     {Packages: []string{"--help"}},
		"no key":      {AuthorizedKey: "hello"},
		"key options": {AuthorizedKey: `command="x" ` + someKey},
		"two keys":    {AuthorizedKey: someKey + "\n" + someKey},
	} {
		if _, err := checkDebian(bad); err == nil {
			t.Errorf("%s: %+v is taken", name, bad)
		}
	}
}

// Whatever changes the disk changes its name in the cache.
func TestDebianKey(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "1"), filepath.Join(dir, "2")
	writeFile(t, one, []byte("agent"))
	writeFile(t, two, []byte("another"))
	keys := map[string]DebianOptions{}
	for _, o := range []DebianOptions{
		{}, {Packages: []string{"redis-server"}}, {Agent: one}, {Agent: two}, {AuthorizedKey: someKey}, {CloudInit: true}, {Loader: true}, {Size: 1 << 30}, {Format: QCOW2},
	} {
		checked, err := checkDebian(o)
		if err != nil {
			t.Fatal(err)
		}
		key, err := debianKey("bookworm", checked)
		if err != nil {
			t.Fatal(err)
		}
		if other, taken := keys[key]; taken {
			t.Errorf("%+v and %+v have one key", o, other)
		}
		keys[key] = o
		if again, _ := debianKey("bookworm", checked); again != key {
			t.Errorf("%+v has two keys", o)
		}
		if other, _ := debianKey("trixie", checked); other == key {
			t.Errorf("%+v has one key for two suites", o)
		}
	}
	if _, err := debianKey("bookworm", DebianOptions{Agent: filepath.Join(dir, "none")}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no agent: %v", err)
	}
}

func TestReadDebian(t *testing.T) {
	dir := t.TempDir()
	if _, err := readDebian(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no disk: %v", err)
	}
	writeFile(t, filepath.Join(dir, debianFacts), []byte(`{"format":"qcow2","size":512,"hash":"ab"}`))
	if _, err := readDebian(dir); err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "remove "+dir) {
		t.Errorf("facts without a disk: %v", err)
	}
	for _, name := range []string{"disk.qcow2", debianKernel, debianInitrd} {
		writeFile(t, filepath.Join(dir, name), []byte("x"))
	}
	d, err := readDebian(dir)
	if err != nil || d.Disk != filepath.Join(dir, "disk.qcow2") || d.Size != 512 || d.Hash != "ab" || d.Kernel != filepath.Join(dir, debianKernel) {
		t.Errorf("disk is %+v, %v", d, err)
	}
	writeFile(t, filepath.Join(dir, debianFacts), []byte(`{`))
	if _, err := readDebian(dir); err == nil {
		t.Error("damaged facts are taken")
	}
}

func TestPartitions(t *testing.T) {
	want := `label: gpt
label-id: 7C1B6B1A-4C0E-4B5F-9B3A-5D1E0C7A9F10
1 : start=16MiB, size=1007MiB, type=linux, uuid=7C1B6B1A-4C0E-4B5F-9B3A-5D1E0C7A9F01, name=root
14 : start=1MiB, size=1MiB, type=21686148-6449-6E6F-744E-656564454649, uuid=7C1B6B1A-4C0E-4B5F-9B3A-5D1E0C7A9F14, name=bios
15 : start=2MiB, size=14MiB, type=uefi, uuid=7C1B6B1A-4C0E-4B5F-9B3A-5D1E0C7A9F15, name=esp
`
	if got := partitions(1 << 30); got != want {
		t.Errorf("the table is\n%s", got)
	}
}

func TestAimGRUB(t *testing.T) {
	boot, core := make([]byte, 512), make([]byte, 4096)
	if err := aimGRUB(boot, core); err != nil {
		t.Fatal(err)
	}
	if at := binary.LittleEndian.Uint64(boot[0x5c:]); at != 2048 {
		t.Errorf("the core is looked for in sector %d", at)
	}
	if at := binary.LittleEndian.Uint64(core[0x1f4:]); at != 2049 {
		t.Errorf("its rest is looked for in sector %d", at)
	}
	if err := aimGRUB(boot[:100], core); err == nil {
		t.Error("a first sector of 100 B is taken")
	}
	if err := aimGRUB(boot, make([]byte, 1<<20+1)); err == nil {
		t.Error("a core larger than its partition is taken")
	}
}

func TestGRUBScript(t *testing.T) {
	got := grubScript("6.1.0-1")
	for _, want := range []string{"linux /boot/vmlinuz-6.1.0-1 " + DebianAppend + "\n", "initrd /boot/initrd.img-6.1.0-1\n", rootUUID, "console=ttyS0"} {
		if !strings.Contains(got, want) {
			t.Errorf("the script lacks %q:\n%s", want, got)
		}
	}
}

func TestWriteSparse(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "disk"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data := make([]byte, 3*diskBlock+100)
	data[0], data[len(data)-1] = 1, 2
	if err := errors.Join(f.Truncate(1<<20), writeSparse(f, data, 8192)); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(f.Name())
	if err != nil || len(got) != 1<<20 || string(got[8192:8192+len(data)]) != string(data) {
		t.Errorf("the data is not there: %v", err)
	}
}

// A link in the tree must not lead the build outside of it, and what the disk has in common with the build machine goes.
func TestFurnish(t *testing.T) {
	tree, outside := t.TempDir(), t.TempDir()
	initrd := filepath.Join(outside, "initrd")
	writeFile(t, initrd, []byte("initrd"))
	writeFile(t, filepath.Join(tree, "usr/bin/sh"), nil)
	writeFile(t, filepath.Join(tree, "boot/initrd.img-6.0"), []byte("the distribution's"))
	writeFile(t, filepath.Join(tree, "var/log/redis/keep"), nil)
	writeFile(t, filepath.Join(tree, "etc/apt/apt.conf.d/99mmdebstrap"), []byte("proxy"))
	victim := filepath.Join(outside, "machine-id")
	writeFile(t, victim, []byte("mine"))
	if err := os.Symlink(victim, filepath.Join(tree, "etc/machine-id")); err != nil {
		t.Fatal(err)
	}
	b := &debianBuild{o: DebianOptions{Agent: initrd, AuthorizedKey: someKey}}
	d := Debian{Initrd: initrd, Release: "6.1"}
	if err := b.furnish(tree, d); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(victim); string(data) != "mine" {
		t.Errorf("a file outside of the tree is %q, %v", data, err)
	}
	for name, want := range map[string]string{
		"etc/machine-id": "", "etc/hostname": "virtscope\n", "boot/initrd.img-6.1": "initrd", "root/.ssh/authorized_keys": someKey + "\n",
		AgentPath: "initrd", "etc/systemd/system/virtscope-agent.service": AgentUnit, "var/log/redis/keep": "",
	} {
		if data, err := os.ReadFile(filepath.Join(tree, name)); err != nil || string(data) != want {
			t.Errorf("%s is %q, %v", name, data, err)
		}
	}
	for _, name := range []string{"boot/initrd.img-6.0", "etc/apt/apt.conf.d/99mmdebstrap"} {
		if _, err := os.Lstat(filepath.Join(tree, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left: %v", name, err)
		}
	}
	for name, want := range map[string]string{
		"etc/systemd/system/sysinit.target.wants/virtscope-agent.service":      "/etc/systemd/system/virtscope-agent.service",
		"etc/systemd/system/multi-user.target.wants/virtscope-network.service": "/etc/systemd/system/virtscope-network.service",
		"etc/systemd/system/getty.target":                                      "/dev/null",
	} {
		if to, err := os.Readlink(filepath.Join(tree, name)); err != nil || to != want {
			t.Errorf("%s leads to %q, %v", name, to, err)
		}
	}
	if info, err := os.Stat(filepath.Join(tree, "root/.ssh")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("root's keys are in %v, %v", info.Mode(), err)
	}
	usr, err := os.Stat(filepath.Join(tree, "usr"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"etc/.updated", "var/.updated"} {
		if info, err := os.Stat(filepath.Join(tree, name)); err != nil || info.ModTime().Before(usr.ModTime()) {
			t.Errorf("%s is older than /usr: %v", name, err)
		}
	}
}
