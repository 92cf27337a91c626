//go:build e2e

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

const program = "../../bin/virtscope"

// homeCache is the program's folder for caches: where the tests of testbed/image have left the disks that take longest to build.
const homeCache = "../../.cache/home"

// command is the program with arguments, to be run in dir.
func command(ctx context.Context, t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := filepath.Abs(program)
	if err != nil {
		t.Fatal(err)
	}
	cache, err := filepath.Abs(homeCache)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(ctx, path, args...)
	c.Dir, c.Env = dir, append(os.Environ(), "XDG_CACHE_HOME="+cache)
	return c
}
