package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func newNamespace(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: makes network namespaces")
	}
	name := fmt.Sprintf("vshost%d", os.Getpid())
	if err := CreateNamespace(name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := DeleteNamespace(context.Background(), name); err != nil {
			t.Error(err)
		}
	})
	return name
}

func newNetns(t *testing.T) *Netns {
	t.Helper()
	n, err := NewNetns("src", newNamespace(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := n.Do(loopbackUp); err != nil {
		t.Fatal(err)
	}
	return n
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	ifr.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr)
}

func namespaceOf(t *testing.T, path string) string {
	t.Helper()
	link, err := os.Readlink(path)
	if err != nil {
		t.Fatal(err)
	}
	return link
}

func inode(t *testing.T, path string) string {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("net:[%d]", st.Ino)
}

func TestNetnsIsEntered(t *testing.T) {
	ours := namespaceOf(t, "/proc/self/ns/net")
	n := newNetns(t)
	want := inode(t, filepath.Join(NamespaceDir, n.Namespace()))
	if want == ours {
		t.Fatal("the namespace is ours")
	}
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			err := n.Do(func() error {
				if got := namespaceOf(t, "/proc/thread-self/ns/net"); got != want {
					return fmt.Errorf("thread is in %s, want %s", got, want)
				}
				if unix.Gettid() == unix.Getpid() {
					return errors.New("the program's first thread was used")
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	p, err := n.Start(t.Context(), Cmd{Path: "sleep", Args: []string{"60"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := namespaceOf(t, fmt.Sprintf("/proc/%d/ns/net", p.PID())); got != want {
		t.Errorf("process is in %s, want %s", got, want)
	}
	// Only the network is another: the rest, /sys with its cgroups too, is this machine's.
	for _, ns := range []string{"mnt", "pid", "uts"} {
		if got := namespaceOf(t, fmt.Sprintf("/proc/%d/ns/%s", p.PID(), ns)); got != namespaceOf(t, "/proc/self/ns/"+ns) {
			t.Errorf("process has another %s namespace", ns)
		}
	}
	if got := namespaceOf(t, "/proc/self/ns/net"); got != ours {
		t.Errorf("the program moved to %s", got)
	}
	// Whatever thread an ordinary goroutine gets, it is outside.
	for range 64 {
		wg.Go(func() {
			if got := namespaceOf(t, "/proc/thread-self/ns/net"); got != ours {
				t.Errorf("an ordinary goroutine runs in %s", got)
			}
		})
	}
	wg.Wait()
}

func TestDialWithin(t *testing.T) {
	n := newNetns(t)
	var l net.Listener
	err := n.Do(func() (err error) {
		l, err = net.Listen("tcp4", "127.0.0.1:0")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := n.Dial(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if conn, err := newLocal(t).Dial(t.Context(), "tcp", l.Addr().String()); err == nil {
		conn.Close()
		t.Error("the listener is reached from outside the namespace")
	}
	if _, err := n.Dial(t.Context(), "tcp", "localhost:1"); err == nil || !strings.Contains(err.Error(), "IP address") {
		t.Errorf("dial of a name: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := n.Dial(ctx, "tcp", "192.0.2.1:1"); err == nil {
		t.Error("dial without a route succeeds")
	}

	path := filepath.Join(t.TempDir(), "s")
	u, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	conn, err = n.Dial(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

func TestNamespaceErrors(t *testing.T) {
	name := newNamespace(t)
	if err := CreateNamespace(name); !errors.Is(err, fs.ErrExist) {
		t.Errorf("create twice: %v", err)
	}
	if _, err := NewNetns("x", name+"-not"); err == nil {
		t.Error("open of a missing namespace succeeds")
	}
	for range 2 {
		if err := DeleteNamespace(t.Context(), name); err != nil {
			t.Errorf("delete: %v", err)
		}
	}
	// What a killed run may leave: the file without its mount.
	if err := os.WriteFile(filepath.Join(NamespaceDir, name), nil, 0o444); err != nil {
		t.Fatal(err)
	}
	if _, err := NewNetns("x", name); err == nil {
		t.Error("a plain file is entered as a namespace")
	}
	if err := DeleteNamespace(t.Context(), name); err != nil {
		t.Errorf("delete a plain file: %v", err)
	}
}

func TestNetnsLeaksNothing(t *testing.T) {
	name := newNamespace(t)
	leaks(t, func() {
		n, err := NewNetns("src", name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.Start(t.Context(), Cmd{Path: "true"}); err != nil {
			t.Fatal(err)
		}
		if err := n.Do(func() error { return nil }); err != nil {
			t.Fatal(err)
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
