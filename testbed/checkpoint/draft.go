package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A Draft is a checkpoint that is being written, under a temporary name. Commit or Abort ends it. It is not safe for concurrent
// use, but its Writers are independent of each other.
type Draft struct {
	c     *Catalogue
	dir   string
	lock  *os.File
	files []File
}

// Begin begins a checkpoint. A process that dies leaves what the next Open removes.
func (c *Catalogue) Begin() (*Draft, error) {
	dir, lock, err := c.claim()
	if err != nil {
		return nil, fmt.Errorf("begin a checkpoint in %s: %w", c.dir, err)
	}
	return &Draft{c: c, dir: dir, lock: lock}, nil
}

// Path is where a file of the draft is, for somebody else to write; Adopt takes it in.
func (d *Draft) Path(name string) string { return filepath.Join(d.dir, name) }

// Create makes a file of the draft to be written by us; Add takes in what its Close returns.
func (d *Draft) Create(name, role, compression string) (*Writer, error) {
	f, err := os.OpenFile(d.Path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, fmt.Errorf("write checkpoint: %w", err)
	}
	return newWriter(f, File{Name: name, Role: role, Compression: compression})
}

// Add takes in a file that a Writer wrote.
func (d *Draft) Add(f File) { d.files = append(d.files, f) }

// Adopt takes in a file that somebody else wrote at Path(name), and reads it for its hashes.
func (d *Draft) Adopt(name, role string) error {
	f, err := os.Open(d.Path(name))
	if err != nil {
		return fmt.Errorf("take in checkpoint's %s: %w", role, err)
	}
	defer f.Close()
	sum := newSummer()
	if _, err := io.Copy(sum, f); err != nil {
		return fmt.Errorf("take in checkpoint's %s: %w", role, err)
	}
	file := sum.file(File{Name: name, Role: role, Compression: CompressionNone})
	file.Raw = file.Size
	d.Add(file)
	return nil
}

// Size is what the draft's files take of their file system, in B, holes left out, and what they held before compression.
func (d *Draft) Size() (size, before int64, err error) {
	for _, f := range d.files {
		var st unix.Stat_t
		if err := unix.Stat(d.Path(f.Name), &st); err != nil {
			return 0, 0, fmt.Errorf("look at %s: %w", d.Path(f.Name), err)
		}
		took := min(f.Size, st.Blocks*512) // st_blocks is in units of 512 B: stat(2)
		size += took
		if f.Compression == CompressionNone {
			before += took
			continue
		}
		before += f.Raw
	}
	return size, before, nil
}

// Commit puts everything on disk, the manifest last, and gives the checkpoint its name m.ID. A checkpoint of that name is an
// fs.ErrExist, and stays as it is. After an error nothing is left of the draft.
func (d *Draft) Commit(m Manifest) error {
	defer d.Abort()
	m.Version, m.Files, m.Created = ManifestFormat, d.files, m.Created.UTC().Round(0)
	if err := d.commit(&m); err != nil {
		return fmt.Errorf("commit checkpoint %s: %w", m.ID, err)
	}
	return nil
}

func (d *Draft) commit(m *Manifest) error {
	if err := m.check(); err != nil {
		return err
	}
	for _, f := range d.files {
		if err := seal(d.Path(f.Name)); err != nil {
			return err
		}
	}
	if err := writeManifest(d.Path(manifestName), m); err != nil {
		return err
	}
	if err := syncDir(d.dir); err != nil {
		return err
	}
	if err := renameNew(d.dir, filepath.Join(d.c.dir, m.ID)); err != nil {
		return err
	}
	return syncDir(d.c.dir)
}

// Abort removes what there is of a draft. After Commit it does nothing but release it.
func (d *Draft) Abort() {
	if d.lock == nil {
		return
	}
	_ = os.RemoveAll(d.dir) // a committed one has another name; what cannot be removed the next Open tries again
	_ = d.lock.Close()
	d.lock = nil
}

// seal puts a file on disk, to be written no more.
func seal(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o444), f.Sync(), f.Close())
}

func writeManifest(path string, m *Manifest) error {
	text, err := m.encode()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o444)
	if err != nil {
		return err
	}
	_, writeErr := f.Write(text)
	return errors.Join(writeErr, f.Sync(), f.Close())
}

// renameNew renames a folder, and never replaces one. The caller's lock on the folder goes with it.
func renameNew(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOSYS) {
		return err
	}
	// A file system without that: a folder that is not empty is not replaced by rename either.
	if _, err := os.Lstat(to); err == nil {
		return fs.ErrExist
	}
	return os.Rename(from, to)
}
