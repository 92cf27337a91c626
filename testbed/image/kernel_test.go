package image

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// bzImage makes the head of a kernel image that says the given version.
func bzImage(version string) []byte {
	const at = 0x3000
	head := make([]byte, (1+39)*512)
	head[setupSectsOffset] = 39
	binary.LittleEndian.PutUint16(head[bootFlagOffset:], bootFlag)
	copy(head[bootMagicOffset:], "HdrS")
	binary.LittleEndian.PutUint16(head[kernelVersionOffset:], at-0x200)
	copy(head[at:], version+"\x00")
	return head
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestReleaseOf(t *testing.T) {
	change := func(f func(b []byte) []byte) []byte { return f(bzImage("6.1.0-x (a@b) #1")) }
	for _, tt := range []struct {
		name, want string
		head       []byte
	}{
		{"real", "6.1.0-56-cloud-amd64", bzImage("6.1.0-56-cloud-amd64 (debian-kernel@lists.debian.org) #1 SMP PREEMPT_DYNAMIC")},
		{"release alone", "6.12.1+deb13", bzImage("6.12.1+deb13")},
		{"no magic", "", change(func(b []byte) []byte { b[bootMagicOffset] = 'x'; return b })},
		{"no boot flag", "", change(func(b []byte) []byte { b[bootFlagOffset] = 0; return b })},
		{"no version", "", change(func(b []byte) []byte { b[kernelVersionOffset], b[kernelVersionOffset+1] = 0, 0; return b })},
		{"pointer out of range", "", change(func(b []byte) []byte { b[kernelVersionOffset+1] = 0xff; return b })},
		{"cut off", "", change(func(b []byte) []byte { return b[:0x3003] })},
		{"empty", "", nil},
		{"a path", "", bzImage("../../etc")},
		{"no text", "", bzImage(" x")},
	} {
		got, err := releaseOf(tt.head)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s: releaseOf = %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
}

func FuzzReleaseOf(f *testing.F) {
	f.Add(bzImage("6.1.0"))
	f.Add([]byte("HdrS"))
	f.Fuzz(func(t *testing.T, head []byte) {
		release, err := releaseOf(head)
		if err == nil && (release == "" || strings.ContainsAny(release, "/ \x00") || release[0] == '.') {
			t.Errorf("release is %q", release)
		}
	})
}

func TestCompareReleases(t *testing.T) {
	order := []string{
		"4.19.0-27-amd64", "5.10.0-9-amd64", "5.10.0-28-amd64", "6.1.0-9-cloud-amd64", "6.1.0-56-amd64", "6.1.0-56-cloud-amd64",
		"6.9.12", "6.10-rc1", "6.10-rc7", "6.10", "6.10.0-1-amd64", "6.10.11+bpo-amd64", "6.12.1", "10.0",
	}
	shuffled := slices.Clone(order)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	slices.SortFunc(shuffled, compareReleases)
	if !slices.Equal(shuffled, order) {
		t.Errorf("sorted:\n%s\nwant:\n%s", strings.Join(shuffled, "\n"), strings.Join(order, "\n"))
	}
	if compareReleases("6.1", "6.1") != 0 {
		t.Error("a release differs from itself")
	}
}

func TestFindKernel(t *testing.T) {
	root := t.TempDir()
	in := installed{boot: filepath.Join(root, "boot"), modules: filepath.Join(root, "modules")}
	if _, err := in.find(""); err == nil || !strings.Contains(err.Error(), "apt-get install linux-image-cloud-amd64") {
		t.Errorf("find without a kernel = %v, want the remedy", err)
	}
	add := func(release string, withModules bool) string {
		path := filepath.Join(in.boot, "vmlinuz-"+release)
		writeFile(t, path, bzImage(release+" (x) #1"))
		if withModules {
			writeFile(t, filepath.Join(in.modules, release, "modules.dep"), nil)
		}
		return path
	}
	writeFile(t, filepath.Join(in.boot, "vmlinuz-99-notakernel"), []byte("text"))
	if _, err := in.find(""); err == nil || !strings.Contains(err.Error(), "not a bzImage") || !strings.Contains(err.Error(), "apt-get") {
		t.Errorf("find among no kernels = %v, want why and the remedy", err)
	}
	old := add("6.9.1", true)
	add("6.10.2", true)
	bare := add("7.0.0", false)
	k, err := in.find("")
	if err != nil || k.Release != "6.10.2" || k.Modules != filepath.Join(in.modules, "6.10.2") {
		t.Errorf("find = %+v, %v, want 6.10.2: 7.0.0 has no modules", k, err)
	}
	if k, err := in.find(old); err != nil || k.Release != "6.9.1" {
		t.Errorf("find(%s) = %+v, %v", old, k, err)
	}
	if _, err := in.find(bare); err == nil || !strings.Contains(err.Error(), "modules") {
		t.Errorf("find(%s) = %v, want a complaint about its modules", bare, err)
	}
	if _, err := in.find(filepath.Join(root, "none")); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("find of a missing file = %v", err)
	}
}
