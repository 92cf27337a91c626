package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// RootOptions say what a root image is made of.
type RootOptions struct {
	Packages []string // Debian packages with programs, such as redis-server; what they need comes with them
	CacheDir string   // made if missing; images in it are reused and never removed
}

// A Root is a read-only file system with a workload's programs.
type Root struct {
	Path     string   `json:"-"`        // of the ext4 image
	Hash     string   `json:"hash"`     // SHA-256 over its content, in hexadecimal
	Packages []string `json:"packages"` // all that is in it, name=version, sorted
}

const (
	rootImage = "root.ext4"
	rootFacts = "root.json"
)

// BuildRoot makes the image of Debian packages from the mirrors that this machine's apt uses, or finds it in the cache, by
// the names of the packages and the suite. It needs mmdebstrap and mke2fs. Packages are unpacked, not configured. The image
// appears under its final name only when it is whole and on disk, so concurrent builders and a kill at any time are safe.
// Cancelling ends the tools and leaves nothing; what a killed build left is removed by the next call.
func BuildRoot(ctx context.Context, o RootOptions) (Root, error) {
	r, err := buildRoot(ctx, o)
	if err != nil {
		return Root{}, fmt.Errorf("build root image: %w", err)
	}
	return r, nil
}

// CheckRoot says which of the tools that BuildRoot runs are missing here, and how to install them.
func CheckRoot() error {
	_, err := newRootBuild("", nil)
	return err
}

func buildRoot(ctx context.Context, o RootOptions) (Root, error) {
	packages, err := checkPackages(o.Packages)
	if err != nil {
		return Root{}, err
	}
	suite, err := readSuite("/etc/os-release")
	if err != nil {
		return Root{}, err
	}
	cache, err := filepath.Abs(o.CacheDir)
	if err != nil {
		return Root{}, err
	}
	key := sha256.Sum256([]byte(suite + "\n" + strings.Join(packages, "\n")))
	final := filepath.Join(cache, "root-"+hex.EncodeToString(key[:8]))
	sweepRoots(cache)
	r, err := readRoot(final)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	b, err := newRootBuild(suite, packages)
	if err != nil {
		return Root{}, err
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return Root{}, fmt.Errorf("make image cache: %w", err)
	}
	dir, release, err := claimRoot(cache)
	if err != nil {
		return Root{}, fmt.Errorf("write to image cache: %w", err)
	}
	defer release()
	b.dir = dir
	made, err := b.make(ctx)
	if err != nil {
		return Root{}, err
	}
	// Another builder may have been faster: then its image is taken.
	if err := os.Rename(made, final); err != nil && !errors.Is(err, fs.ErrExist) {
		return Root{}, fmt.Errorf("write to image cache: %w", err)
	}
	if err := syncDir(cache); err != nil {
		return Root{}, fmt.Errorf("write to image cache: %w", err)
	}
	return readRoot(final)
}

// readRoot reads what is known of an image in its folder of the cache.
func readRoot(dir string) (Root, error) {
	r := Root{Path: filepath.Join(dir, rootImage)}
	data, err := os.ReadFile(filepath.Join(dir, rootFacts))
	if err != nil {
		return Root{}, fmt.Errorf("look into image cache: %w", err)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return Root{}, fmt.Errorf("read facts of the root image: %w: remove %s", err, dir)
	}
	if _, err := os.Stat(r.Path); err != nil {
		return Root{}, fmt.Errorf("look into image cache: %w: remove %s", err, dir)
	}
	return r, nil
}

// packageName is what Debian allows (Debian Policy, section 5.6.7).
var packageName = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+$`)

// checkPackages returns the names, sorted and without doubles.
func checkPackages(names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, errors.New("no packages are given")
	}
	for _, name := range names {
		if !packageName.MatchString(name) {
			return nil, fmt.Errorf("%q is no name of a Debian package", name)
		}
	}
	names = slices.Clone(names)
	slices.Sort(names)
	return slices.Compact(names), nil
}

// readSuite is the code name of the Debian that this machine runs: its apt has mirrors for that one.
func readSuite(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("find this machine's Debian suite: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		value, found := strings.CutPrefix(strings.TrimSpace(line), "VERSION_CODENAME=")
		value = strings.Trim(value, `"`)
		if found && packageName.MatchString(value) {
			return value, nil
		}
	}
	return "", fmt.Errorf("find this machine's Debian suite: no VERSION_CODENAME in %s: build on Debian", path)
}
