package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// NamespaceDir is where named network namespaces are, for ip(8) too.
const NamespaceDir = "/run/netns"

// Netns is a named network namespace of this machine. Only the network is another: files, processes and
// users are this machine's. It is a Doer.
type Netns struct {
	Local
	namespace string
	handle    netns.NsHandle
}

// NewNetns returns a host in an existing named namespace. The caller closes it; that leaves the namespace.
func NewNetns(name, namespace string) (*Netns, error) {
	handle, err := netns.GetFromName(namespace)
	if err != nil {
		return nil, fmt.Errorf("open namespace %s of host %s: %w", namespace, name, err)
	}
	n := &Netns{namespace: namespace, handle: handle}
	n.name = name
	n.enter = func() error {
		if err := netns.Set(n.handle); err != nil {
			return fmt.Errorf("enter namespace %s: %w", namespace, err)
		}
		return nil
	}
	if err := n.open(); err != nil {
		return nil, errors.Join(err, handle.Close())
	}
	return n, nil
}

// Namespace is the namespace's name under NamespaceDir.
func (n *Netns) Namespace() string { return n.namespace }

// Close is Local.Close, and closes the handle of the namespace.
func (n *Netns) Close() error { return n.close(n.handle.Close) }

// CreateNamespace makes a named network namespace. The calling thread stays where it is. On an error
// nothing is left.
func CreateNamespace(name string) error {
	if _, err := os.Lstat(filepath.Join(NamespaceDir, name)); err == nil {
		return fmt.Errorf("create namespace %s: %w", name, fs.ErrExist)
	}
	if err := shareDir(NamespaceDir); err != nil {
		return fmt.Errorf("create namespace %s: %w", name, err)
	}
	done := make(chan error, 1)
	onThread(func() { // NewNamed moves its thread, so the thread ends here
		handle, err := netns.NewNamed(name)
		if err == nil {
			done <- handle.Close()
			return
		}
		if !errors.Is(err, fs.ErrExist) { // a failed mount leaves its file
			err = errors.Join(err, DeleteNamespace(context.Background(), name))
		}
		done <- err
	})
	if err := <-done; err != nil {
		return fmt.Errorf("create namespace %s: %w", name, err)
	}
	return nil
}

// DeleteNamespace removes a named network namespace, or the file that is left of one. The kernel dismantles
// it, with all its links, once no process and no socket uses it. Deleting one that is gone is no error.
func DeleteNamespace(_ context.Context, name string) error {
	path := filepath.Join(NamespaceDir, name)
	err := unix.Unmount(path, unix.MNT_DETACH)
	if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) { // EINVAL: not mounted
		return fmt.Errorf("unmount namespace %s: %w", path, err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete namespace: %w", err)
	}
	return nil
}

// InScratchNamespace runs f on a thread inside a new network namespace without a name, which the kernel
// removes with all its links when f has returned: for finding out what the kernel can do.
func InScratchNamespace(f func() error) error {
	done := make(chan error, 1)
	onThread(func() {
		err := errors.New("function exited its goroutine")
		defer func() { done <- err }()
		if err = unix.Unshare(unix.CLONE_NEWNET); err != nil {
			err = fmt.Errorf("make a network namespace: %w: run as root (it takes CAP_SYS_ADMIN and CAP_NET_ADMIN)", err)
			return
		}
		err = f()
	})
	return <-done
}
