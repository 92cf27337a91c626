// Package host runs things on a host of the testbed: this machine or a network namespace of it.
package host

import (
	"context"
	"io"
	"net"
)

// A Host is where a testbed runs processes. All methods are safe for concurrent use.
type Host interface {
	// Name is the host's name in the experiment, such as "src".
	Name() string
	// Start starts a process in the host's network. The process is killed by the kernel if this program
	// dies. Cancelling ctx does not end it: Process.Stop does.
	Start(ctx context.Context, c Cmd) (Process, error)
	// Put copies a file of the controller to the host; Get copies back.
	Put(ctx context.Context, local, remote string) error
	Get(ctx context.Context, remote, local string) error
	// Dial connects from within the host. Network is one that net.Dial takes; "unix" too.
	Dial(ctx context.Context, network, addr string) (net.Conn, error)
	// Close releases the host and kills what was started on it. It is idempotent.
	io.Closer
}

// A Doer runs a function of this process inside the host's network, on a thread of its own. Sockets that f
// opens belong to that network for good. Hosts on other machines are no Doers.
type Doer interface {
	Do(f func() error) error
}

// A Cmd is a process to start: an argument vector, never a shell string.
type Cmd struct {
	Path   string   // executable; looked up in PATH if it holds no slash
	Args   []string // without the program's name
	Env    []string // added to the controller's environment
	Dir    string   // working directory; empty is the controller's
	Stdin  io.Reader
	Stdout io.Writer // nil discards
	Stderr io.Writer // nil discards
}

// A Process is a started process.
type Process interface {
	PID() int
	// Done is closed when the process has ended and was reaped.
	Done() <-chan struct{}
	// Err is the error with which it ended (nil: exit 0). Valid after Done.
	Err() error
	// Stop ends the process: SIGTERM, then SIGKILL when ctx is done. It returns once the process was
	// reaped. Stopping a process that has ended is no error.
	Stop(ctx context.Context) error
	// Kill ends it at once with SIGKILL and waits until it was reaped.
	Kill() error
}
