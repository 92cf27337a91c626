package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A rootBuild makes one image in a folder of its own.
type rootBuild struct {
	suite    string
	packages []string
	dir      string
	tools    map[string]string // paths by name
}

// rootTools are what a build runs, with their packages.
var rootTools = []struct{ name, pkg string }{{"mmdebstrap", "mmdebstrap"}, {"mke2fs", "e2fsprogs"}, {"tar", "tar"}, {"apt-config", "apt"}}

func newRootBuild(suite string, packages []string) (*rootBuild, error) {
	b := &rootBuild{suite: suite, packages: packages, tools: map[string]string{}}
	var missing, install []string
	for _, tool := range rootTools {
		path, err := lookTool(tool.name)
		if err != nil {
			missing, install = append(missing, tool.name), append(install, tool.pkg)
			continue
		}
		b.tools[tool.name] = path
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("find %s: not installed: run scripts/install-deps test, or apt-get install %s",
			strings.Join(missing, " and "), strings.Join(install, " "))
	}
	return b, nil
}

// lookTool looks where the tools of an administrator are, too, which other users' PATH lacks.
func lookTool(name string) (string, error) {
	path, err := exec.LookPath(name)
	for _, dir := range []string{"/usr/sbin", "/sbin"} {
		if err == nil {
			break
		}
		path, err = exec.LookPath(filepath.Join(dir, name))
	}
	return path, err
}

// run runs a tool and returns what it printed.
func (b *rootBuild) run(ctx context.Context, tool string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, b.tools[tool], args...)
	cmd.Env = append(cmd.Environ(), "TMPDIR="+b.dir, "LC_ALL=C")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it has mounts to undo
	cmd.WaitDelay = 10 * time.Second
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		const shown = 1500 // B; the reason is at the end
		text := strings.TrimSpace(errs.String())
		return "", fmt.Errorf("run %s: %w: %s", tool, errors.Join(context.Cause(ctx), err), text[max(0, len(text)-shown):])
	}
	return out.String(), nil
}

// listPackages is mmdebstrap's hook that names what it unpacks; the folder is its argument.
const (
	packageList  = "etc/virtscope-packages"
	listPackages = `for d in "$1"/var/cache/apt/archives/*.deb; do ` +
		`dpkg-deb -W --showformat='${Package}=${Version}\n' "$d" || exit 1; done >"$1/` + packageList + `"`
)

// mountPoints are folders that a guest needs and packages may lack.
var mountPoints = []string{"dev", "proc", "run", "sys", "tmp"}

// unneeded is left out of the image.
var unneeded = []string{"./dev/*", "./usr/share/doc/*", "./usr/share/locale/*", "./usr/share/man/*", "./var/cache/*", "./var/lib/apt/*"}

// make makes the folder that the cache keeps, and returns its path.
func (b *rootBuild) make(ctx context.Context) (string, error) {
	if err := os.Chmod(b.dir, 0o755); err != nil { // mmdebstrap may run as another user
		return "", err
	}
	archive, tree, made := filepath.Join(b.dir, "root.tar"), filepath.Join(b.dir, "tree"), filepath.Join(b.dir, "made")
	if err := b.bootstrap(ctx, archive); err != nil {
		return "", err
	}
	for _, dir := range []string{tree, made} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return "", err
		}
	}
	args := []string{"-xf", archive, "-C", tree}
	for _, pattern := range unneeded {
		args = append(args, "--exclude="+pattern)
	}
	if _, err := b.run(ctx, "tar", args...); err != nil {
		return "", err
	}
	for _, dir := range mountPoints {
		if err := os.MkdirAll(filepath.Join(tree, dir), 0o755); err != nil {
			return "", err
		}
	}
	r := Root{Path: filepath.Join(made, rootImage)}
	if err := b.format(ctx, tree, r.Path); err != nil {
		return "", err
	}
	var err error
	if r.Packages, err = readPackages(filepath.Join(tree, packageList)); err != nil {
		return "", err
	}
	if r.Hash, err = hashFile(r.Path); err != nil {
		return "", err
	}
	facts, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return "", err
	}
	return made, writeSynced(filepath.Join(made, rootFacts), facts)
}

// bootstrap unpacks the packages and what they need into an archive.
func (b *rootBuild) bootstrap(ctx context.Context, archive string) error {
	sources, err := aptSources("/etc/apt")
	if err != nil {
		return err
	}
	// How to reach the mirrors, such as by a proxy.
	acquire, err := b.run(ctx, "apt-config", "dump", "Acquire")
	if err != nil {
		return err
	}
	conf := filepath.Join(b.dir, "apt.conf")
	if err := os.WriteFile(conf, []byte(acquire), 0o644); err != nil {
		return err
	}
	args := []string{
		"--quiet", "--variant=extract", "--include=" + strings.Join(b.packages, ","), "--aptopt=" + conf,
		"--extract-hook=" + listPackages, "--format=tar", b.suite, archive,
	}
	_, err = b.run(ctx, "mmdebstrap", append(args, sources...)...)
	return err
}

// aptSources lists the files in which apt's folder names mirrors.
func aptSources(dir string) ([]string, error) {
	var found []string
	for _, pattern := range []string{"sources.list", "sources.list.d/*.list", "sources.list.d/*.sources"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			info, err := os.Stat(file)
			if err == nil && info.Mode().IsRegular() && info.Size() > 0 {
				found = append(found, file)
			}
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("find mirrors in %s: none: this machine's apt needs sources", dir)
	}
	return found, nil
}

const (
	rootBlock = 4096 // B
	rootSpare = 8 << 20
)

// format makes an ext4 image of a tree, not much larger than what is in it. It is only read: it has no journal.
func (b *rootBuild) format(ctx context.Context, tree, path string) error {
	var blocks, inodes int64
	err := filepath.WalkDir(tree, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		inodes++
		blocks += (info.Size() + rootBlock - 1) / rootBlock
		return nil
	})
	if err != nil {
		return fmt.Errorf("measure root image: %w", err)
	}
	const inodeSize = 256
	size := (blocks*rootBlock+inodes*inodeSize)*21/20 + rootSpare // a twentieth for its own tables
	_, err = b.run(ctx, "mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-b", strconv.Itoa(rootBlock), "-I", strconv.Itoa(inodeSize),
		"-N", strconv.FormatInt(inodes+1024, 10), "-m", "0", "-L", "virtscope-root", "-E", "root_owner=0:0", "-d", tree,
		path, strconv.FormatInt(size/1024, 10)+"k")
	return err
}

// readPackages reads the list that the hook left.
func readPackages(path string) ([]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the list of unpacked packages: %w", err)
	}
	packages := strings.Fields(string(data))
	if len(packages) == 0 {
		return nil, errors.New("read the list of unpacked packages: it is empty")
	}
	slices.Sort(packages)
	return packages, nil
}

// hashFile is the SHA-256 of a file, which it brings to disk too.
func hashFile(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return "", fmt.Errorf("hash root image: %w", err)
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", fmt.Errorf("hash root image: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}
