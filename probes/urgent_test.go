package probes

import (
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

func nice(t *testing.T) int {
	t.Helper()
	p, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		t.Fatal(err)
	}
	return 20 - p
}

func TestUrgent(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: CAP_SYS_NICE")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := nice(t)
	restore, err := Urgent()
	if err != nil {
		t.Fatal(err)
	}
	if got := nice(t); got != urgentNice {
		t.Errorf("nice %d", got)
	}
	restore()
	if got := nice(t); got != before {
		t.Errorf("nice %d after restore, %d before", got, before)
	}
}
