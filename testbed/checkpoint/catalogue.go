package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// A Catalogue is the checkpoints in a folder of a host, one folder each. It is safe for concurrent use, also by several
// processes of one machine.
type Catalogue struct{ dir string }

// Open opens the catalogue in dir, which is made if missing, and removes what processes that are dead left unfinished there.
func Open(dir string) (*Catalogue, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open catalogue: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("open catalogue: %w", err)
	}
	c := &Catalogue{dir: dir}
	if err := c.sweep(); err != nil {
		return nil, fmt.Errorf("open catalogue %s: remove what was left unfinished: %w", dir, err)
	}
	return c, nil
}

// OpenExisting is Open for a folder that must be there.
func OpenExisting(dir string) (*Catalogue, error) {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no folder", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open catalogue: %w", err)
	}
	return Open(dir)
}

// Dir is the catalogue's folder.
func (c *Catalogue) Dir() string { return c.dir }

// Path is that of a file of a checkpoint that Get returned.
func (c *Catalogue) Path(id, file string) string { return filepath.Join(c.dir, id, file) }

// An Entry is a checkpoint as it was found: its manifest, or why that cannot be read.
type Entry struct {
	ID       string
	Manifest *Manifest // nil if Err is set
	Err      error
}

// List lists the checkpoints, the oldest first; those that cannot be read come last.
func (c *Catalogue) List() ([]Entry, error) {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return nil, fmt.Errorf("list checkpoints: %w", err)
	}
	var list []Entry
	for _, e := range entries {
		if !e.IsDir() || !validName.MatchString(e.Name()) {
			continue
		}
		m, err := c.Get(e.Name())
		if errors.Is(err, fs.ErrNotExist) {
			if _, gone := os.Stat(filepath.Join(c.dir, e.Name())); gone != nil {
				continue // removed meanwhile
			}
		}
		list = append(list, Entry{ID: e.Name(), Manifest: m, Err: err})
	}
	slices.SortStableFunc(list, byAge)
	return list, nil
}

// byAge puts the oldest first and, of one instant, the lesser id.
func byAge(a, b Entry) int {
	switch {
	case a.Manifest == nil && b.Manifest == nil:
		return strings.Compare(a.ID, b.ID)
	case a.Manifest == nil:
		return 1
	case b.Manifest == nil:
		return -1
	}
	if order := a.Manifest.Created.Compare(b.Manifest.Created); order != 0 {
		return order
	}
	return strings.Compare(a.ID, b.ID)
}

// Get reads a checkpoint's manifest. One that is not there is a fs.ErrNotExist.
func (c *Catalogue) Get(id string) (*Manifest, error) {
	if err := checkName("checkpoint", id); err != nil {
		return nil, err
	}
	f, err := os.Open(c.Path(id, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("find checkpoint %s in %s: %w: virtscope checkpoint list %[2]s shows what is there", id, c.dir, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("open checkpoint %s: %w", id, err)
	}
	defer f.Close()
	m, err := ReadManifest(f)
	if err != nil {
		return nil, fmt.Errorf("checkpoint %s: %s: %w", id, f.Name(), err)
	}
	if m.ID != id {
		return nil, fmt.Errorf("checkpoint %s: its manifest is that of %s: the folder was renamed: give it its name back", id, m.ID)
	}
	return m, nil
}

// ErrInUse says that a checkpoint is being read, or is what a guest runs from.
var ErrInUse = errors.New("it is in use")

// Hold keeps a checkpoint from being removed until release is called, or this process ends.
func (c *Catalogue) Hold(id string) (release func(), err error) {
	if err := checkName("checkpoint", id); err != nil {
		return nil, err
	}
	lock, err := lockDir(filepath.Join(c.dir, id), unix.LOCK_SH|unix.LOCK_NB)
	if err != nil {
		return nil, fmt.Errorf("hold checkpoint %s: %w", id, err)
	}
	return func() { _ = lock.Close() }, nil
}

// Remove removes a checkpoint. One that is in use is an ErrInUse, and one whose disk another's goes on from is an error.
func (c *Catalogue) Remove(id string) error {
	if err := checkName("checkpoint", id); err != nil {
		return err
	}
	list, err := c.List()
	if err != nil {
		return err
	}
	for _, e := range list {
		if e.Manifest != nil && e.Manifest.Parent == id {
			return fmt.Errorf("remove checkpoint %s: the disk of %s goes on from it: remove that first", id, e.ID)
		}
	}
	return c.remove(id)
}

// remove takes a checkpoint's name away first: a kill leaves the whole of it, or what the next opening sweeps.
func (c *Catalogue) remove(id string) error {
	path := filepath.Join(c.dir, id)
	held, err := lockDir(path, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return fmt.Errorf("remove checkpoint %s: %w: end the guest that runs from it, or try again", id, ErrInUse)
	}
	if err != nil {
		return fmt.Errorf("remove checkpoint %s: %w", id, err)
	}
	defer held.Close()
	gone, lock, err := c.claim()
	if err != nil {
		return fmt.Errorf("remove checkpoint %s: %w", id, err)
	}
	defer lock.Close()
	if err := os.Rename(path, filepath.Join(gone, id)); err != nil {
		return fmt.Errorf("remove checkpoint %s: %w", id, errors.Join(err, os.Remove(gone)))
	}
	if err := errors.Join(syncDir(c.dir), os.RemoveAll(gone)); err != nil {
		return fmt.Errorf("remove checkpoint %s: %w", id, err)
	}
	return nil
}
