package checkpoint

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// endless is set for a process of its own that makes checkpoints until it is killed.
const endless = "VIRTSCOPE_TEST_ENDLESS_CATALOGUE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(endless); dir != "" {
		fmt.Fprintln(os.Stderr, makeForEver(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// makeForEver makes checkpoints with increments, and prunes, until it fails.
func makeForEver(dir string) error {
	c, err := Open(dir)
	if err != nil {
		return err
	}
	parent := ""
	for n := 0; ; n++ {
		m := Manifest{ID: fmt.Sprintf("c%d-%d", os.Getpid(), n), Guest: "guest", Created: time.Now(), Parent: parent}
		if err := make1(c, m, 100<<10); err != nil {
			return err
		}
		if parent = m.ID; n%3 == 2 {
			parent = ""
		}
		fmt.Println(m.ID)
		if _, err := c.Prune(2); err != nil {
			return err
		}
	}
}

// make1 makes a checkpoint with a memory and a disk of so many B.
func make1(c *Catalogue, m Manifest, size int) error {
	d, err := c.Begin()
	if err != nil {
		return err
	}
	defer d.Abort()
	for name, role := range map[string]string{memoryFile: RoleMemory, diskFile: RoleDisk} {
		w, err := d.Create(name, role, CompressionNone)
		if err != nil {
			return err
		}
		_, err = w.Write(randomBytes(size, 1))
		if err != nil {
			return err
		}
		f, err := w.Close()
		if err != nil {
			return err
		}
		d.Add(f)
	}
	return d.Commit(m)
}

// needs skips a test for want of a program, with the reason.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("needs %s: apt-get install qemu-utils: %v", p, err)
		}
	}
}
