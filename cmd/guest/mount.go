package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
)

// A mounting is a file system and where it is mounted.
type mounting struct {
	what, where, kind, data string
	flags                   uintptr
}

// mountEach mounts in order: all, or none.
func mountEach(list []mounting, mount func(what, where, kind string, flags uintptr, data string) error, unmount func(where string, flags int) error) error {
	for i, m := range list {
		err := mount(m.what, m.where, m.kind, m.flags, m.data)
		if err == nil {
			continue
		}
		err = fmt.Errorf("mount %s on %s: %w", m.what, m.where, err)
		for _, done := range slices.Backward(list[:i]) {
			if failed := unmount(done.where, syscall.MNT_DETACH); failed != nil {
				err = errors.Join(err, fmt.Errorf("unmount %s: %w", done.where, failed))
			}
		}
		return err
	}
	return nil
}

// mountAll mounts the kernel's file systems.
func mountAll() error {
	for _, m := range []struct{ kind, dir string }{
		{"proc", "/proc"},
		{"sysfs", "/sys"},
		{"devtmpfs", "/dev"},
	} {
		if err := os.MkdirAll(m.dir, 0o755); err != nil {
			return fmt.Errorf("make mount point: %w", err)
		}
		err := syscall.Mount(m.kind, m.dir, m.kind, 0, "")
		if err != nil && !errors.Is(err, syscall.EBUSY) {
			return fmt.Errorf("mount %s on %s: %w", m.kind, m.dir, err)
		}
	}
	return nil
}
