package host

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// shareDir makes a folder of namespaces a mount of its own that is shared, as ip-netns(8) does before it makes its first.
// Else ip, run by anybody while our namespaces are there, lays a copy of the folder's mounts over them: what is then
// unmounted are the copies, and the namespaces can be removed no more.
func shareDir(dir string) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder of namespaces: %w", err)
	}
	lock, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open the folder of namespaces: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil { // ip does so, too
		return fmt.Errorf("lock %s: %w", dir, err)
	}
	err = unix.Mount("", dir, "none", unix.MS_SHARED|unix.MS_REC, "")
	if !errors.Is(err, unix.EINVAL) { // EINVAL: no mount point yet
		return shared(dir, err)
	}
	if err := unix.Mount(dir, dir, "none", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("mount %s on itself: %w", dir, err)
	}
	return shared(dir, unix.Mount("", dir, "none", unix.MS_SHARED|unix.MS_REC, ""))
}

func shared(dir string, err error) error {
	if err != nil {
		return fmt.Errorf("share the mounts of %s: %w", dir, err)
	}
	return nil
}
