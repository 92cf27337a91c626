package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"virtscope/testbed/guest/agent"
)

// A port is a virtio-serial port, opened without Go's poller: reads and writes block their own thread.
type port int

// openPort opens the port named agent.Port. The host announces it some time after the driver was loaded.
func openPort(wait time.Duration) (port, error) {
	until := mono() + int64(wait)
	for {
		device, err := findPort("/sys/class/virtio-ports", agent.Port)
		if err != nil {
			return -1, err
		}
		if device != "" {
			fd, err := syscall.Open("/dev/"+device, syscall.O_RDWR|syscall.O_CLOEXEC, 0)
			if err == nil {
				return port(fd), nil
			}
			if !errors.Is(err, syscall.ENOENT) {
				return -1, fmt.Errorf("open /dev/%s: %w", device, err)
			}
		}
		if mono() > until {
			return -1, fmt.Errorf("find virtio-serial port %s: none within %v: add -device virtserialport,name=%s", agent.Port, wait, agent.Port)
		}
		sleepUntil(mono() + int64(2*time.Millisecond))
	}
}

// findPort returns the device of the named port under the class's folder, or empty.
func findPort(class, name string) (device string, err error) {
	files, err := filepath.Glob(filepath.Join(class, "*", "name"))
	if err != nil {
		return "", fmt.Errorf("list virtio-serial ports: %w", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // it went away
		}
		if strings.TrimSpace(string(data)) == name {
			return filepath.Base(filepath.Dir(file)), nil
		}
	}
	return "", nil
}

// Read reads what the host sent. It never returns io.EOF: while nobody is attached it waits.
func (p port) Read(b []byte) (int, error) {
	for {
		n, err := syscall.Read(int(p), b)
		switch {
		case n > 0:
			return n, nil
		case err == nil, errors.Is(err, syscall.EAGAIN):
			// The driver returns 0 at once while the host's side is closed.
			sleepUntil(mono() + int64(10*time.Millisecond))
		case !errors.Is(err, syscall.EINTR):
			return 0, fmt.Errorf("read from port: %w", err)
		}
	}
}

// Write writes all of b. It waits while nobody is attached.
func (p port) Write(b []byte) (int, error) {
	written := 0
	for written < len(b) {
		n, err := syscall.Write(int(p), b[written:])
		if n > 0 {
			written += n
		}
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EAGAIN):
			sleepUntil(mono() + int64(time.Millisecond))
		case err != nil:
			return written, fmt.Errorf("write to port: %w", err)
		case n == 0:
			return written, fmt.Errorf("write to port: %w", io.ErrShortWrite)
		}
	}
	return written, nil
}
