package testbed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// scratchRoot holds the large files of runs that go on: disks, and memory that migrates by way of a file. The runtime
// folder is often in memory. memoryRoot holds what is meant to lie in memory: it is on a tmpfs.
const (
	scratchRoot = "/var/tmp/virtscope"
	memoryRoot  = "/dev/shm/virtscope"
)

// Scratch makes the run's folder for large files. The run's runtime folder (see Runtime) says who owns it. Release removes
// it with its content.
func Scratch(runID string) (dir string, release func(context.Context) error, err error) {
	return scratchIn(scratchRoot, runID)
}

// MemoryScratch makes the run's folder in this machine's memory, for guests that are saved there. An error says if there is
// no tmpfs. Release removes it with its content.
func MemoryScratch(runID string) (dir string, release func(context.Context) error, err error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(memoryRoot), &fs); err != nil || fs.Type != unix.TMPFS_MAGIC {
		return "", nil, fmt.Errorf("make a folder in memory: %s is no tmpfs: mount one there (mount -t tmpfs tmpfs %[1]s)", filepath.Dir(memoryRoot))
	}
	return scratchIn(memoryRoot, runID)
}

func scratchIn(root, runID string) (dir string, release func(context.Context) error, err error) {
	if err := checkRunID(runID); err != nil {
		return "", nil, fmt.Errorf("make the scratch folder: %w", err)
	}
	dir = filepath.Join(root, runID)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, fmt.Errorf("make the scratch folder of run %s: %w", runID, err)
	}
	return dir, func(context.Context) error { return os.RemoveAll(dir) }, nil
}

// listScratch maps runs to their scratch folders.
func listScratch() (map[string][]string, error) {
	runs := make(map[string][]string)
	for _, root := range []string{scratchRoot, memoryRoot} {
		entries, err := os.ReadDir(root)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("list scratch folders: %w", err)
		}
		for _, e := range entries {
			if runIDPattern.MatchString(e.Name()) {
				runs[e.Name()] = append(runs[e.Name()], filepath.Join(root, e.Name()))
			}
		}
	}
	return runs, nil
}
