package qemu

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"time"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"

	"golang.org/x/sys/unix"
)

// observed reports whether the console and the firmware's log of a QEMU are read: of one that boots, that is.
func observed(s guest.Spec, r role) bool { return s.Start.Observe && !r.incoming }

// consoleArguments give the guest its serial port. One that is observed writes to a socket, and its firmware to another, by
// the port that SeaBIOS and OVMF have for their logs (SeaBIOS docs/Debugging.md); QEMU connects to them before the guest runs.
func consoleArguments(s guest.Spec, f files, r role) []string {
	if !observed(s, r) {
		return []string{"-chardev", "file,id=console,path=" + option(f.console), "-serial", "chardev:console"}
	}
	return []string{
		"-chardev", "socket,id=console,path=" + option(f.serial), "-serial", "chardev:console",
		"-chardev", "socket,id=firmware,path=" + option(f.firmware), "-device", "isa-debugcon,iobase=0x402,chardev=firmware",
	}
}

// A consoleReader reads what a guest and its firmware write, stamps it as it arrives, and keeps the console's log. It always
// reads on, so that the guest never waits for it.
type consoleReader struct {
	serial, firmware *inlet
	log              *os.File
	marks            *startMarks
	wake             [2]int // a pipe: a byte, or its end, ends the wait for QEMU
	done             chan struct{}
	err              error // of the log; valid after done
}

// listenConsole makes the sockets that QEMU will connect to. Run must be called next, and close at the end.
func listenConsole(f files, marks *startMarks) (c *consoleReader, err error) {
	c = &consoleReader{marks: marks, done: make(chan struct{}), wake: [2]int{-1, -1}}
	defer func() {
		if err != nil {
			c.release()
			c.closeWake()
			c, err = nil, fmt.Errorf("listen to the guest's console: %w", err)
		}
	}()
	if c.log, err = os.Create(f.console); err != nil {
		return c, err
	}
	if err := unix.Pipe2(c.wake[:], unix.O_CLOEXEC); err != nil {
		return c, err
	}
	if c.serial, err = listenInlet(f.serial); err != nil {
		return c, err
	}
	c.firmware, err = listenInlet(f.firmware)
	return c, err
}

func (c *consoleReader) serialBytes(p []byte, at time.Time) {
	if _, err := c.log.Write(p); err != nil && c.err == nil {
		c.err = fmt.Errorf("keep the guest's console: %w", err)
	}
	c.marks.consoleBytes(p, at)
}

// run reads until QEMU has closed both, or has ended. One goroutine reads both: what the firmware wrote before a byte of the
// console is there when that byte is, and is taken first. Its thread goes before others where it may, since what it stamps is late by as
// long as it waits for a CPU.
func (c *consoleReader) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	restore, _ := host.Urgent() //nolint:errcheck // without it, it does what it can
	defer restore()
	defer close(c.done)
	defer c.release()
	defer c.marks.end()
	for ended := false; c.serial.fd >= 0 || c.firmware.fd >= 0; {
		if !ended {
			var err error
			if ended, err = c.wait(); err != nil {
				c.err = errors.Join(c.err, err)
				return
			}
		}
		p, at := c.serial.read()
		for {
			log, at := c.firmware.read()
			if len(log) == 0 {
				break
			}
			c.marks.firmwareBytes(log, at)
		}
		if len(p) > 0 {
			c.serialBytes(p, at)
		} else if ended {
			return
		}
	}
}

// wait waits until there is something to read; ended is true when QEMU has ended.
func (c *consoleReader) wait() (ended bool, err error) {
	// A negative descriptor is passed over by poll(2).
	fds := []unix.PollFd{
		{Fd: int32(c.serial.fd), Events: unix.POLLIN},
		{Fd: int32(c.firmware.fd), Events: unix.POLLIN},
		{Fd: int32(c.wake[0]), Events: unix.POLLIN},
	}
	if _, err := unix.Poll(fds, -1); err != nil && !errors.Is(err, unix.EINTR) {
		return false, fmt.Errorf("wait for the guest's console: %w", err)
	}
	return fds[2].Revents != 0, nil
}

// close is called when QEMU has ended; it waits until all that it wrote was read. It is called once.
func (c *consoleReader) close() error {
	_, err := unix.Write(c.wake[1], []byte{0})
	if err != nil {
		return fmt.Errorf("end the reader of the guest's console: %w", err)
	}
	<-c.done
	c.closeWake()
	return c.err
}

func (c *consoleReader) closeWake() {
	for _, fd := range c.wake {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

func (c *consoleReader) release() {
	for _, in := range []*inlet{c.serial, c.firmware} {
		if in != nil {
			in.close()
		}
	}
	if c.log != nil {
		if err := c.log.Close(); err != nil && c.err == nil {
			c.err = fmt.Errorf("keep the guest's console: %w", err)
		}
	}
}

// An inlet is a socket that waits for one connection, and then is that connection.
type inlet struct {
	fd        int // -1 when it was closed
	connected bool
	path      string
	buffer    [64 << 10]byte
}

func listenInlet(path string) (*inlet, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("make a socket: %w", err)
	}
	in := &inlet{fd: fd, path: path}
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		in.close()
		return nil, fmt.Errorf("bind %s: %w", path, err)
	}
	if err := unix.Listen(fd, 1); err != nil {
		in.close()
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	return in, nil
}

// read returns what is there, until the next call, and when it was read; nothing where nothing is. At the end the inlet is closed.
func (in *inlet) read() ([]byte, time.Time) {
	if in.fd < 0 || !in.connected && !in.accept() {
		return nil, time.Time{}
	}
	for {
		n, err := unix.Read(in.fd, in.buffer[:])
		at := time.Now()
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN):
		case err != nil || n == 0:
			in.close()
		default:
			return in.buffer[:n], at
		}
		return nil, at
	}
}

func (in *inlet) accept() bool {
	fd, _, err := unix.Accept4(in.fd, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
	if err != nil {
		return false // nobody is there yet
	}
	_ = unix.Close(in.fd)
	in.fd, in.connected = fd, true
	return true
}

func (in *inlet) close() {
	if in.fd < 0 {
		return
	}
	_ = unix.Close(in.fd)
	_ = os.Remove(in.path)
	in.fd = -1
}
