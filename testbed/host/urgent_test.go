package host

import (
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

func policy(t *testing.T) uint32 {
	t.Helper()
	a, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	return a.Policy
}

func TestUrgent(t *testing.T) {
	if os.Geteuid() != 0 || runtime.NumCPU() < 2 {
		t.Skip("needs root and 2 CPUs: SCHED_FIFO")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	restore, err := Urgent()
	if err != nil {
		t.Fatal(err)
	}
	if got := policy(t); got != unix.SCHED_FIFO {
		t.Errorf("policy %d", got)
	}
	restore()
	if got := policy(t); got != unix.SCHED_NORMAL {
		t.Errorf("policy %d after restore", got)
	}
}
