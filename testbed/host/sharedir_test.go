package host

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestShareDir does what ip-netns(8) does between the making of a namespace's mount and its removal.
func TestShareDir(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not root: mounting takes CAP_SYS_ADMIN")
	}
	for _, c := range []struct {
		name   string
		before bool // the folder was shared before the mount was made
	}{{"shared before", true}, {"not shared", false}} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "netns")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if c.before {
				if err := shareDir(dir); err != nil {
					t.Fatal(err)
				}
			}
			t.Cleanup(func() {
				for unix.Unmount(dir+"/ns", unix.MNT_DETACH) == nil || unix.Unmount(dir, unix.MNT_DETACH) == nil {
				}
			})
			ns := filepath.Join(dir, "ns")
			if err := os.WriteFile(ns, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := unix.Mount("/proc/self/ns/net", ns, "none", unix.MS_BIND, ""); err != nil {
				t.Fatal(err)
			}
			if err := shareDir(dir); err != nil { // as ip would
				t.Fatal(err)
			}
			if err := unix.Unmount(ns, unix.MNT_DETACH); err != nil {
				t.Fatal(err)
			}
			err := os.Remove(ns)
			if c.before && err != nil {
				t.Errorf("remove the namespace: %v", err)
			}
			if !c.before && err == nil {
				t.Error("without sharing before, the namespace could be removed: then this is not needed")
			}
		})
	}
}
