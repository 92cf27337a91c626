package image

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/kdomanski/iso9660"
	"go.yaml.in/yaml/v4"
)

func testSeed() Seed {
	return Seed{
		Hostname: "guest-7", InstanceID: "run/003-default-r1/guest-7", User: "debian",
		Keys:    []string{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKfc virtscope: run"},
		Address: "10.77.0.17/16", MAC: "52:54:00:12:34:56",
		Files: map[string][]byte{"agent/virtscope-guest": bytes.Repeat([]byte{7, 0, 255}, 5000), "note.txt": []byte("hi\n"), "empty": nil},
		Run:   []string{"mount -o ro LABEL=cidata /mnt", `echo "it: works" > /run/x # yes`, "yes"},
	}
}

// isoFiles reads an image back.
func isoFiles(t *testing.T, path string) (label string, files map[string][]byte) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	image, err := iso9660.OpenImage(f)
	if err != nil {
		t.Fatal(err)
	}
	if label, err = image.Label(); err != nil {
		t.Fatal(err)
	}
	files = map[string][]byte{}
	var walk func(dir *iso9660.File, at string)
	walk = func(dir *iso9660.File, at string) {
		children, err := dir.GetChildren()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range children {
			if c.IsDir() {
				walk(c, filepath.Join(at, c.Name()))
				continue
			}
			data, err := io.ReadAll(c.Reader())
			if err != nil {
				t.Fatal(err)
			}
			files[filepath.Join(at, c.Name())] = data
		}
	}
	root, err := image.RootDir()
	if err != nil {
		t.Fatal(err)
	}
	walk(root, "")
	return label, files
}

func TestSeed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seed.iso")
	s := testSeed()
	if err := MakeSeed(path, s); err != nil {
		t.Fatal(err)
	}
	label, files := isoFiles(t, path)
	if label != "cidata" || len(files) != 6 {
		t.Errorf("%q holds %d files", label, len(files))
	}
	for name, want := range s.Files {
		if !bytes.Equal(files[name], want) {
			t.Errorf("%s has %d B, not %d", name, len(files[name]), len(want))
		}
	}
	if !bytes.HasPrefix(files["user-data"], []byte("#cloud-config\n")) {
		t.Errorf("user-data begins with %.20q", files["user-data"])
	}
	for name, want := range map[string]map[string]any{
		"meta-data": {"instance-id": s.InstanceID, "local-hostname": "guest-7"},
		"user-data": {
			"hostname": "guest-7", "preserve_hostname": false, "manage_etc_hosts": true, "ssh_pwauth": false,
			"users": []any{map[string]any{
				"name": "debian", "sudo": "ALL=(ALL) NOPASSWD:ALL", "shell": "/bin/bash", "lock_passwd": true, "ssh_authorized_keys": []any{s.Keys[0]},
			}},
			"runcmd": []any{s.Run[0], s.Run[1], "yes"},
		},
		"network-config": {"version": 2, "ethernets": map[string]any{"eth0": map[string]any{
			"match": map[string]any{"macaddress": "52:54:00:12:34:56"}, "set-name": "eth0", "addresses": []any{"10.77.0.17/16"}, "dhcp4": false, "dhcp6": false,
		}}},
	} {
		var got map[string]any
		if err := yaml.Load(files[name], &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %v, %v:\n%s", name, got, err, files[name])
		}
	}
	// YAML 1.1, which cloud-init reads, takes a bare yes for true, and such a MAC for a number to the base of 60.
	for name, word := range map[string]string{"user-data": "yes", "network-config": "52:54:00:12:34:56"} {
		if text := string(files[name]); !strings.Contains(text, `"`+word+`"`) && !strings.Contains(text, "'"+word+"'") {
			t.Errorf("%s is not quoted:\n%s", word, text)
		}
	}
}

func TestSeedIsTheSameForTheSame(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	if err := errors.Join(MakeSeed(a, testSeed()), os.WriteFile(b, []byte("old"), 0o600), MakeSeed(b, testSeed())); err != nil {
		t.Fatal(err)
	}
	x, _ := os.ReadFile(a)
	y, _ := os.ReadFile(b)
	if len(x) == 0 || !bytes.Equal(x, y) {
		t.Errorf("%d B and %d B differ", len(x), len(y))
	}
	other := testSeed()
	other.InstanceID += "0"
	if err := MakeSeed(b, other); err != nil {
		t.Fatal(err)
	}
	if y, _ = os.ReadFile(b); bytes.Equal(x, y) {
		t.Error("another seed is the same")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestSeedIsFoundByLabel, as a guest finds it.
func TestSeedIsFoundByLabel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seed.iso")
	if err := MakeSeed(path, testSeed()); err != nil {
		t.Fatal(err)
	}
	blkid, err := exec.LookPath("blkid")
	if err != nil {
		t.Skip("there is no blkid")
	}
	out, err := exec.Command(blkid, "-p", "-o", "export", path).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "LABEL=cidata\n") || !strings.Contains(string(out), "TYPE=iso9660\n") {
		t.Errorf("blkid: %v\n%s", err, out)
	}
}

// TestSeedMounts: the kernel reads it as the library wrote it.
func TestSeedMounts(t *testing.T) {
	path, at := filepath.Join(t.TempDir(), "seed.iso"), t.TempDir()
	if err := MakeSeed(path, testSeed()); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-o", "ro,loop", "-t", "iso9660", path, at).CombinedOutput(); err != nil {
		t.Skipf("cannot mount it here: %v: %s", err, out)
	}
	defer func() {
		if out, err := exec.Command("umount", at).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	}()
	for name, want := range testSeed().Files {
		if got, err := os.ReadFile(filepath.Join(at, name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d B, %v", name, len(got), err)
		}
	}
	if info, err := os.Stat(filepath.Join(at, "agent/virtscope-guest")); err != nil || info.Mode()&0o111 == 0 {
		t.Errorf("%v, %v cannot be run", info, err)
	}
}

// TestSeedReadsElsewhere: so does another implementation.
func TestSeedReadsElsewhere(t *testing.T) {
	isoinfo, err := exec.LookPath("isoinfo")
	if err != nil {
		t.Skip("there is no isoinfo: it comes with genisoimage")
	}
	path := filepath.Join(t.TempDir(), "seed.iso")
	if err := MakeSeed(path, testSeed()); err != nil {
		t.Fatal(err)
	}
	_, files := isoFiles(t, path)
	for name, want := range files {
		if got, err := exec.Command(isoinfo, "-i", path, "-x", "/"+name+";1").Output(); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d B, not %d, %v", name, len(got), len(want), err)
		}
	}
}

func TestSeedRefuses(t *testing.T) {
	for want, change := range map[string]func(*Seed){
		"hostname":       func(s *Seed) { s.Hostname = "a b" },
		"instance id":    func(s *Seed) { s.InstanceID = " " },
		"user":           func(s *Seed) { s.User = "Root" },
		"keys":           func(s *Seed) { s.User = "" },
		"key":            func(s *Seed) { s.Keys = []string{"ssh-ed25519 a\nssh-rsa b"} },
		"address":        func(s *Seed) { s.Address = "10.0.0.1" },
		"MAC":            func(s *Seed) { s.MAC = "52:54" },
		"file":           func(s *Seed) { s.Files = map[string][]byte{"../x": nil} },
		"file \"A\"":     func(s *Seed) { s.Files = map[string][]byte{"A": nil} },
		"file \"a.b.c\"": func(s *Seed) { s.Files = map[string][]byte{"a.b.c": nil} },
		"meta-data":      func(s *Seed) { s.Files = map[string][]byte{"meta-data": nil} },
	} {
		s := testSeed()
		change(&s)
		path := filepath.Join(t.TempDir(), "seed")
		if err := MakeSeed(path, s); err == nil || !strings.HasPrefix(err.Error(), "make seed: "+want) {
			t.Errorf("%s: %v", want, err)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: a seed was made", want)
		}
	}
	if err := MakeSeed(filepath.Join(t.TempDir(), "none", "seed"), testSeed()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}
