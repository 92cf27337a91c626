package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	initBinary  = "virtscope-guest"
	initPackage = "virtscope/cmd/guest"
)

// FindInit returns the path of the guest's init: virtscope-guest beside the executable exe, or else, where
// Go and virtscope's source are at hand (in a test, under go run), one that it builds into the source
// tree's .cache folder. The error names the remedy.
func FindInit(exe string) (string, error) {
	// The executable may be reached through a link.
	if real, err := filepath.EvalSymlinks(exe); err == nil {
		exe = real
	}
	beside := filepath.Join(filepath.Dir(exe), initBinary)
	info, err := os.Stat(beside)
	if err == nil && info.Mode().IsRegular() {
		return beside, nil
	}
	root, rootErr := sourceRoot()
	if rootErr != nil {
		return "", fmt.Errorf("find the guest's init: no %s and %w: run `make build`", beside, rootErr)
	}
	path, err := buildInit(root)
	if err != nil {
		return "", fmt.Errorf("find the guest's init: no %s: %w: run `make build`", beside, err)
	}
	return path, nil
}

// sourceRoot is the folder of virtscope's go.mod, at or above the working directory.
func sourceRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find virtscope's source: %w", err)
	}
	for {
		data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(data), "module virtscope\n") {
			return dir, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("find virtscope's source: %w", err)
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("the working directory is not in virtscope's source")
		}
		dir = filepath.Dir(dir)
	}
}

// buildInit builds the init from the source at root. Go's cache makes a repetition cheap.
func buildInit(root string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cache := filepath.Join(root, ".cache")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", fmt.Errorf("build %s: %w", initPackage, err)
	}
	dir, err := os.MkdirTemp(cache, "build-*")
	if err != nil {
		return "", fmt.Errorf("build %s: %w", initPackage, err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	built := filepath.Join(dir, initBinary)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", built, initPackage)
	cmd.Dir = root
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w: %s", initPackage, err, strings.TrimSpace(string(out)))
	}
	path := filepath.Join(cache, initBinary)
	if err := os.Rename(built, path); err != nil {
		return "", fmt.Errorf("build %s: %w", initPackage, err)
	}
	return path, nil
}
