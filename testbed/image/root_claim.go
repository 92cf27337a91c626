package image

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// unfinished begins the names of the folders in which images are built.
const unfinished = ".root-"

// claimRoot makes a folder to build in, which no sweep removes while this process lives. Release removes it.
func claimRoot(cache string) (dir string, release func(), err error) {
	if all, err := lockDir(cache, unix.LOCK_EX); err == nil { // no sweep comes between the folder and its lock
		defer all.Close()
	}
	dir, err = os.MkdirTemp(cache, unfinished+"*")
	if err != nil {
		return "", nil, err
	}
	lock, err := lockDir(dir, unix.LOCK_EX|unix.LOCK_NB)
	if err != nil { // a file system without locks: a sweep gets none either, and removes nothing
		return dir, func() { _ = os.RemoveAll(dir) }, nil
	}
	return dir, func() {
		_ = os.RemoveAll(dir)
		_ = lock.Close()
	}, nil
}

// sweepRoots removes what killed builds left, as far as it can: it may be another user's, and the next call tries again.
func sweepRoots(cache string) {
	all, err := lockDir(cache, unix.LOCK_EX)
	if err != nil {
		return
	}
	defer all.Close()
	left, err := filepath.Glob(filepath.Join(cache, unfinished+"*"))
	if err != nil || len(left) == 0 {
		return
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return
	}
	for _, dir := range left {
		// A killed build may have left mounts of this machine's own folders, whose files are not to be removed.
		if strings.Contains(string(mounts), "/"+filepath.Base(dir)) {
			continue
		}
		lock, err := lockDir(dir, unix.LOCK_EX|unix.LOCK_NB)
		if err != nil {
			continue
		}
		_ = os.RemoveAll(dir)
		_ = lock.Close()
	}
}

// lockDir locks a folder until the file is closed or the process ends.
func lockDir(dir string, how int) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), how); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
