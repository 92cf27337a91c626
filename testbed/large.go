package testbed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// scratchRoot holds the large files of runs that go on: disks, and memory that migrates by way of a file. The runtime
// folder is often in memory.
const scratchRoot = "/var/tmp/virtscope"

// Scratch makes the run's folder for large files. The run's runtime folder (see Runtime) says who owns it. Release removes
// it with its content.
func Scratch(runID string) (dir string, release func(context.Context) error, err error) {
	if err := checkRunID(runID); err != nil {
		return "", nil, fmt.Errorf("make the scratch folder: %w", err)
	}
	dir = filepath.Join(scratchRoot, runID)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, fmt.Errorf("make the scratch folder of run %s: %w", runID, err)
	}
	return dir, func(context.Context) error { return os.RemoveAll(dir) }, nil
}

// listScratch maps runs to their scratch folders.
func listScratch() (map[string]string, error) {
	entries, err := os.ReadDir(scratchRoot)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list scratch folders: %w", err)
	}
	runs := make(map[string]string)
	for _, e := range entries {
		if runIDPattern.MatchString(e.Name()) {
			runs[e.Name()] = filepath.Join(scratchRoot, e.Name())
		}
	}
	return runs, nil
}
