package main

import (
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// An eventLoop serves all connections of a TCP port with one thread, as redis does: what the guest's few CPUs do for a
// request then does not grow with the connections, nor does the Go heap.
type eventLoop struct {
	listener, epoll, wake int
	room                  int            // B, of each of a connection's buffers
	open                  func() session // called for each connection
	log                   func(format string, args ...any)
	conns                 map[int32]*loopConn

	mu      sync.Mutex
	running bool
	done    bool // all is closed
}

// A session is one connection's side of a protocol.
type session interface {
	// take answers the whole requests at the begin of in, as long as out has room for the longest answer. It returns how
	// much of in it is done with, and out with the answers behind what was there. An error ends the connection; what was
	// answered is sent first.
	take(in, out []byte) (used int, answers []byte, err error)
}

// A loopConn is a connection. Its buffers are mapped, outside the Go heap; what is not used of them is no memory.
type loopConn struct {
	fd      int
	session session
	memory  []byte
	in, out []byte
	blocked bool // the client does not take answers: no more requests are read
	ending  bool // it is closed once out was sent
}

const loopBuffer = 64 << 10 // B, beside the longest value

// newEventLoop opens a port on all addresses. Clients wait until run. Longest is the longest value, in B.
func newEventLoop(port, longest int, open func() session, log func(string, ...any)) (*eventLoop, error) {
	l := &eventLoop{listener: -1, epoll: -1, wake: -1, room: longest + loopBuffer, open: open, log: log, conns: map[int32]*loopConn{}}
	if err := l.listen(port); err != nil {
		l.closeAll()
		return nil, fmt.Errorf("serve TCP port %d: %w", port, err)
	}
	return l, nil
}

func (l *eventLoop) listen(port int) (err error) {
	const flags = syscall.SOCK_NONBLOCK | syscall.SOCK_CLOEXEC
	if l.listener, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|flags, 0); err != nil {
		return err
	}
	if err := syscall.SetsockoptInt(l.listener, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return err
	}
	if err := syscall.Bind(l.listener, &syscall.SockaddrInet4{Port: port}); err != nil {
		return err
	}
	if err := syscall.Listen(l.listener, 1024); err != nil {
		return err
	}
	if l.epoll, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return err
	}
	fd, _, errno := syscall.Syscall(syscall.SYS_EVENTFD2, 0, syscall.O_CLOEXEC, 0)
	if errno != 0 {
		return errno
	}
	l.wake = int(fd)
	return errors.Join(l.watch(syscall.EPOLL_CTL_ADD, l.listener, syscall.EPOLLIN), l.watch(syscall.EPOLL_CTL_ADD, l.wake, syscall.EPOLLIN))
}

func (l *eventLoop) watch(op, fd int, events uint32) error {
	return syscall.EpollCtl(l.epoll, op, fd, &syscall.EpollEvent{Events: events, Fd: int32(fd)})
}

// run serves until close, on the calling thread. It returns nil after a close.
func (l *eventLoop) run() error {
	l.mu.Lock()
	if l.done {
		l.mu.Unlock()
		return nil
	}
	l.running = true
	l.mu.Unlock()
	err := l.serve()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closeAll()
	return err
}

func (l *eventLoop) serve() error {
	var events [64]syscall.EpollEvent
	for {
		n, err := syscall.EpollWait(l.epoll, events[:], -1)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("wait for requests: %w", err)
		}
		for _, e := range events[:n] {
			switch int(e.Fd) {
			case l.wake:
				return nil
			case l.listener:
				l.accept()
			default:
				l.handle(e.Fd)
			}
		}
	}
}

func (l *eventLoop) accept() {
	fd, _, err := syscall.Accept4(l.listener, syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
	if err != nil {
		if scarce(err) {
			time.Sleep(10 * time.Millisecond)
		}
		return
	}
	memory, err := syscall.Mmap(-1, 0, 2*l.room, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		l.log("refused a connection: map %d B: %v", 2*l.room, err)
		_ = syscall.Close(fd)
		return
	}
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1) // without it, answers are only later
	l.conns[int32(fd)] = &loopConn{
		fd: fd, session: l.open(), memory: memory,
		in: memory[:0:l.room], out: memory[l.room : l.room : 2*l.room],
	}
	if err := l.watch(syscall.EPOLL_CTL_ADD, fd, syscall.EPOLLIN); err != nil {
		l.log("refused a connection: %v", err)
		l.drop(int32(fd))
	}
}

// handle does what a connection is ready for.
func (l *eventLoop) handle(fd int32) {
	c := l.conns[fd]
	if c == nil {
		return
	}
	was := c.blocked
	if !c.work() {
		l.drop(fd)
		return
	}
	if c.blocked == was {
		return
	}
	events := uint32(syscall.EPOLLIN)
	if c.blocked {
		events = syscall.EPOLLOUT
	}
	if err := l.watch(syscall.EPOLL_CTL_MOD, c.fd, events); err != nil {
		l.drop(fd)
	}
}

// work reads, answers and sends what can be. It is false when the connection is over.
func (c *loopConn) work() bool {
	if !c.blocked && !c.read() {
		return false
	}
	for {
		sent, ok := c.send()
		if !ok {
			return false
		}
		c.blocked = !sent
		if c.blocked || c.ending {
			return c.blocked
		}
		used, answers, err := c.session.take(c.in, c.out)
		c.out, c.ending = answers, err != nil
		c.in = c.in[:copy(c.in, c.in[used:])]
		if used == 0 && err == nil {
			return len(c.in) < cap(c.in) // a request that does not fit never becomes whole
		}
	}
}

// read takes what came. At the connection's end it is false: whoever sent no more takes no more.
func (c *loopConn) read() bool {
	n, err := syscall.Read(c.fd, c.in[len(c.in):cap(c.in)])
	if err != nil {
		return errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR)
	}
	c.in = c.in[:len(c.in)+n]
	return n > 0
}

// send sends what out holds; sent is that all of it is.
func (c *loopConn) send() (sent, ok bool) {
	left := c.out
	for len(left) > 0 {
		n, err := syscall.Write(c.fd, left)
		switch {
		case errors.Is(err, syscall.EAGAIN):
			c.out = c.out[:copy(c.out, left)]
			return false, true
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return false, false
		default:
			left = left[n:]
		}
	}
	c.out = c.out[:0]
	return true, true
}

func (l *eventLoop) drop(fd int32) {
	c := l.conns[fd]
	delete(l.conns, fd)
	_ = syscall.Close(c.fd) // its client sees what there is to see
	_ = syscall.Munmap(c.memory)
}

// close makes run return, or closes the port if it does not run. It is idempotent.
func (l *eventLoop) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		return
	}
	if !l.running {
		l.closeAll()
		return
	}
	one := uint64(1)
	_, _, _ = syscall.Syscall(syscall.SYS_WRITE, uintptr(l.wake), uintptr(unsafe.Pointer(&one)), 8)
}

func (l *eventLoop) closeAll() {
	l.done = true
	for fd := range l.conns {
		l.drop(fd)
	}
	for _, fd := range []int{l.listener, l.epoll, l.wake} {
		if fd >= 0 {
			_ = syscall.Close(fd)
		}
	}
}
