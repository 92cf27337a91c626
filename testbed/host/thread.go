package host

import (
	"errors"
	"runtime"

	"golang.org/x/sys/unix"
)

var errClosed = errors.New("host is closed")

// onThread runs f in a goroutine that is locked to a thread other than the process's first. /proc/self/net
// and /proc/PID/ns/net show the first thread's network: were it to enter a namespace, the whole program
// would seem to live there. The thread ends with f unless f unlocks it.
func onThread(f func()) {
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			f()
			return
		}
		// As long as this goroutine holds the first thread, the next one gets another.
		elsewhere := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(elsewhere)
			f()
		}()
		<-elsewhere
		runtime.UnlockOSThread()
	}()
}

// A worker is one thread that lives as long as its host. The kernel kills a child that was started with
// Pdeathsig when the thread that forked it ends, so all children of a host are started from its worker.
type worker struct {
	jobs  chan func()
	ended chan struct{}
}

// newWorker starts a worker; enter is run first and brings its thread into the namespace.
func newWorker(enter func() error) (*worker, error) {
	w := &worker{jobs: make(chan func()), ended: make(chan struct{})}
	entered := make(chan error, 1)
	onThread(func() {
		defer close(w.ended)
		err := enter()
		entered <- err
		if err != nil {
			return
		}
		for job := range w.jobs {
			job()
		}
	})
	return w, <-entered
}

// run runs f on the worker's thread and returns its error.
func (w *worker) run(f func() error) error {
	done := make(chan error, 1)
	w.jobs <- func() { done <- f() }
	return <-done
}

// stop ends the thread. No run may follow.
func (w *worker) stop() {
	close(w.jobs)
	<-w.ended
}
