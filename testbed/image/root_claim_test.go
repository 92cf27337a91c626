package image

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// claimIn is the environment variable that makes this test's program claim a folder there, and stay.
const claimIn = "VIRTSCOPE_TEST_CLAIM_ROOT"

// TestClaimHelper is not a test of its own: it is the other process of TestSweepRoots.
func TestClaimHelper(t *testing.T) {
	cache := os.Getenv(claimIn)
	if cache == "" {
		t.Skip("runs only as the other process of TestSweepRoots")
	}
	dir, release, err := claimRoot(cache)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	writeFile(t, filepath.Join(dir, "tree", "file"), []byte("half"))
	os.Stderr.WriteString(dir + "\n")
	select {}
}

// TestSweepRoots: what a killed build left goes with the next call, and a living one's folder and an image stay.
func TestSweepRoots(t *testing.T) {
	cache := t.TempDir()
	image := filepath.Join(cache, "root-0123")
	writeFile(t, filepath.Join(image, rootFacts), []byte("{}"))
	mine, release, err := claimRoot(cache)
	if err != nil {
		t.Fatal(err)
	}
	other := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestClaimHelper$")
	other.Env = append(os.Environ(), claimIn+"="+cache)
	said, err := other.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	line := bufio.NewScanner(said)
	if !line.Scan() {
		t.Fatal("the other process says nothing:", line.Err())
	}
	theirs := line.Text()
	expect := func(when, path string, there bool) {
		t.Helper()
		if _, err := os.Stat(path); (err == nil) != there || err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %s: %v", when, path, err)
		}
	}
	sweepRoots(cache)
	expect("while both live", theirs, true)
	expect("while both live", mine, true)
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait() // it was killed
	sweepRoots(cache)
	expect("after the kill", theirs, false)
	expect("after the kill", mine, true)
	expect("after the kill", image, true)
	release()
	expect("after its end", mine, false)
}

// TestBuildRootSweeps: each call does, also one that finds its image.
func TestBuildRootSweeps(t *testing.T) {
	cache := t.TempDir()
	left := filepath.Join(cache, unfinished+"12345")
	writeFile(t, filepath.Join(left, "root.tar"), []byte("half"))
	t.Setenv("PATH", t.TempDir()) // without tools it builds nothing
	_, _ = BuildRoot(t.Context(), RootOptions{Packages: []string{"hello"}, CacheDir: cache})
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

// TestSweepKeepsMounts: what is mounted in a folder may be this machine's own.
func TestSweepKeepsMounts(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: mounts")
	}
	cache := t.TempDir()
	left, own := filepath.Join(cache, unfinished+"67890"), t.TempDir()
	writeFile(t, filepath.Join(own, "precious"), nil)
	inside := filepath.Join(left, "dev")
	if err := os.MkdirAll(inside, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount(own, inside, "", unix.MS_BIND, ""); err != nil {
		t.Skip("needs mounts:", err)
	}
	sweepRoots(cache)
	_, err := os.Stat(filepath.Join(own, "precious"))
	if err := unix.Unmount(inside, 0); err != nil {
		t.Error(err)
	}
	if err != nil {
		t.Error("what is mounted was removed:", err)
	}
}
