package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"virtscope/results"

	"github.com/spf13/cobra"
)

// latest names the newest run.
const latest = "latest"

// openRun opens a run by its folder, by its name below --runs, or as "latest".
func openRun(c *cobra.Command, name string) (*results.Run, error) {
	if name == latest {
		return newestRun(runsDir(c))
	}
	if _, err := os.Stat(name); err == nil || strings.ContainsRune(name, filepath.Separator) {
		return results.Open(filepath.Clean(name))
	}
	return results.Open(filepath.Join(runsDir(c), name))
}

func newestRun(dir string) (*results.Run, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("find the latest run: %w", err)
	}
	var newest *results.Run
	var at time.Time
	for _, e := range entries {
		r, err := results.Open(filepath.Join(dir, e.Name()))
		if err == nil && r.Manifest.Created.After(at) {
			newest, at = r, r.Manifest.Created
		}
	}
	if newest == nil {
		return nil, fmt.Errorf("find the latest run: %s holds none: make one with virtscope run", dir)
	}
	return newest, nil
}
