package influx

import (
	"runtime"
	"syscall"
)

// below is by how much a thread that ships gives way to those that measure.
const below = 10

// lowerThread gives the goroutine a thread of its own, which ends with it, of low priority. Without the right to do so, it stays as it is.
func lowerThread() {
	runtime.LockOSThread()
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), below)
}
