package checkpoint

import (
	"os/exec"
	"testing"
)

// needs skips a test for want of a program, with the reason.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("needs %s: apt-get install qemu-utils: %v", p, err)
		}
	}
}
