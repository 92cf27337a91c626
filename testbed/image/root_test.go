package image

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestCheckPackages(t *testing.T) {
	got, err := checkPackages([]string{"redis-server", "libstdc++6", "redis-server"})
	if err != nil || !slices.Equal(got, []string{"libstdc++6", "redis-server"}) {
		t.Errorf("packages are %v, %v", got, err)
	}
	for _, bad := range [][]string{nil, {""}, {"--include=x"}, {"a b"}, {"Redis"}, {"x,y"}, {"../x"}} {
		if got, err := checkPackages(bad); err == nil {
			t.Errorf("%q is taken for %q", bad, got)
		}
	}
}

func TestReadSuite(t *testing.T) {
	for text, want := range map[string]string{
		"NAME=x\nVERSION_CODENAME=bookworm\n": "bookworm",
		"VERSION_CODENAME=\"trixie\"":         "trixie",
		"NAME=x\n":                            "",
		"VERSION_CODENAME=--x\n":              "",
	} {
		path := filepath.Join(t.TempDir(), "os-release")
		writeFile(t, path, []byte(text))
		if got, err := readSuite(path); got != want || (err == nil) != (want != "") {
			t.Errorf("%q gives %q, %v", text, got, err)
		}
	}
}

func TestAptSources(t *testing.T) {
	dir := t.TempDir()
	if got, err := aptSources(dir); err == nil {
		t.Errorf("no file gives %v", got)
	}
	writeFile(t, filepath.Join(dir, "sources.list"), nil) // empty, as Debian's installer may leave it
	writeFile(t, filepath.Join(dir, "sources.list.d", "a.list"), []byte("deb"))
	writeFile(t, filepath.Join(dir, "sources.list.d", "b.sources"), []byte("Types: deb"))
	writeFile(t, filepath.Join(dir, "sources.list.d", "c.list.disabled"), []byte("deb"))
	got, err := aptSources(dir)
	want := []string{filepath.Join(dir, "sources.list.d", "a.list"), filepath.Join(dir, "sources.list.d", "b.sources")}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("sources are %v, %v", got, err)
	}
}

func TestBuildRootNamesMissingTools(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := newRootBuild("bookworm", []string{"redis-server"})
	if err == nil || !strings.Contains(err.Error(), "mmdebstrap") || !strings.Contains(err.Error(), "apt-get install") {
		t.Errorf("without tools: %v", err)
	}
}

// An image in the cache is found by its packages, whatever their order, and a damaged one is not taken.
func TestReadRoot(t *testing.T) {
	dir := t.TempDir()
	if _, err := readRoot(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no image: %v", err)
	}
	writeFile(t, filepath.Join(dir, rootFacts), []byte(`{"hash":"ab","packages":["x=1"]}`))
	if _, err := readRoot(dir); err == nil || !strings.Contains(err.Error(), "remove "+dir) {
		t.Errorf("facts without an image: %v", err)
	}
	writeFile(t, filepath.Join(dir, rootImage), []byte("image"))
	r, err := readRoot(dir)
	if err != nil || r.Hash != "ab" || r.Path != filepath.Join(dir, rootImage) || !slices.Equal(r.Packages, []string{"x=1"}) {
		t.Errorf("root is %+v, %v", r, err)
	}
	writeFile(t, filepath.Join(dir, rootFacts), []byte(`{`))
	if _, err := readRoot(dir); err == nil {
		t.Error("damaged facts are taken")
	}
}

// TestBuildRoot makes an image of the smallest package that has a program, from this machine's mirrors.
func TestBuildRoot(t *testing.T) {
	if testing.Short() {
		t.Skip("unpacks packages: left out by -short")
	}
	if _, err := newRootBuild("x", nil); err != nil {
		t.Skip("needs tools:", err)
	}
	cache := t.TempDir()
	o := RootOptions{Packages: []string{"hello"}, CacheDir: cache}
	r, err := BuildRoot(t.Context(), o)
	if err != nil {
		if strings.Contains(err.Error(), "run mmdebstrap") && !canReachMirrors(err) {
			t.Skip("needs a mirror of Debian:", err)
		}
		t.Fatal(err)
	}
	if len(r.Hash) != 64 || !slices.ContainsFunc(r.Packages, func(p string) bool { return strings.HasPrefix(p, "hello=") }) {
		t.Errorf("root is %+v", r)
	}
	info, err := os.Stat(r.Path)
	if err != nil || info.Size() > 100<<20 {
		t.Errorf("the image is %+v, %v", info, err)
	}
	entries, err := os.ReadDir(cache)
	if err != nil || len(entries) != 1 {
		t.Errorf("the cache holds %v, %v, want the image alone", entries, err)
	}
	if again, err := BuildRoot(t.Context(), o); err != nil || again.Hash != r.Hash || again.Path != r.Path {
		t.Errorf("once more it is %+v, %v", again, err)
	}
	o.Packages = []string{"virtscope-no-such-package"}
	if _, err := BuildRoot(t.Context(), o); err == nil || !strings.Contains(err.Error(), "virtscope-no-such-package") {
		t.Errorf("no such package: %v", err)
	}
	if entries, _ := os.ReadDir(cache); len(entries) != 1 {
		t.Errorf("a failed build left %v", entries)
	}
}

// canReachMirrors reports whether the failure of a build is not the network's.
func canReachMirrors(err error) bool {
	for _, sign := range []string{"Temporary failure", "Could not resolve", "Could not connect", "Unable to connect", "timed out", "Failed to fetch"} {
		if strings.Contains(err.Error(), sign) {
			return false
		}
	}
	return true
}
