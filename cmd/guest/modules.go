package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"unsafe"
)

// modulesFile lists the modules' paths, one a line, in the order in which they must be loaded.
const modulesFile = "/etc/virtscope/modules"

const sysFinitModule = 313 // amd64

// loadModules loads what modulesFile lists. An empty list is fine: the kernel has it all built in.
func loadModules() error {
	list, err := os.ReadFile(modulesFile)
	if err != nil {
		return fmt.Errorf("read module list: %w", err)
	}
	for path := range strings.Lines(string(list)) {
		path = strings.TrimSpace(path)
		if path == "" {
			continue
		}
		if err := loadModule(path); err != nil {
			return fmt.Errorf("load module %s: %w", path, err)
		}
	}
	return nil
}

func loadModule(path string) error {
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = syscall.Close(fd) }()
	params := []byte{0}
	_, _, errno := syscall.Syscall(sysFinitModule, uintptr(fd), uintptr(unsafe.Pointer(&params[0])), 0)
	if errno != 0 && !errors.Is(errno, syscall.EEXIST) {
		return errno
	}
	return nil
}
