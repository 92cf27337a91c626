package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// unfinished begins the names of folders that are being written or removed. No checkpoint's name begins so.
const unfinished = ".tmp-"

// lockDir locks a folder until the file is closed or the process ends. Locks of one process exclude each other too.
func lockDir(dir string, how int) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for err = unix.EINTR; errors.Is(err, unix.EINTR); {
		err = unix.Flock(int(f.Fd()), how)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return f, nil
}

// claim makes a folder to work in, which no sweep removes while this process lives and the file is open.
func (c *Catalogue) claim() (dir string, lock *os.File, err error) {
	all, err := lockDir(c.dir, unix.LOCK_EX) // no sweep comes between the folder and its lock
	if err != nil {
		return "", nil, err
	}
	defer all.Close()
	if dir, err = os.MkdirTemp(c.dir, unfinished+"*"); err != nil {
		return "", nil, err
	}
	if lock, err = lockDir(dir, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return "", nil, errors.Join(err, os.Remove(dir))
	}
	return dir, lock, nil
}

// sweep removes what dead processes left unfinished.
func (c *Catalogue) sweep() error {
	all, err := lockDir(c.dir, unix.LOCK_EX)
	if err != nil {
		return err
	}
	defer all.Close()
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), unfinished) {
			errs = append(errs, removeDead(filepath.Join(c.dir, e.Name())))
		}
	}
	return errors.Join(errs...)
}

// removeDead removes a folder unless a living process holds it.
func removeDead(dir string) error {
	lock, err := lockDir(dir, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	return os.RemoveAll(dir)
}

// syncDir makes what was made, renamed or removed in dir last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
