package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The serial numbers of the guest's disks.
const (
	diskSerial = "virtscope-disk" // the disk that is written
	rootSerial = "virtscope-root" // the read-only one with programs
)

// awaitDisk returns the device of the disk with this serial number, such as /dev/vda. A driver may take some time to
// find it.
func awaitDisk(serial string, wait time.Duration) (string, error) {
	until := mono() + int64(wait)
	for {
		name, err := findDisk("/sys/block", serial)
		if err != nil {
			return "", err
		}
		if name != "" {
			return "/dev/" + name, nil
		}
		if mono() > until {
			return "", fmt.Errorf("find the disk with serial %s: none within %v: give the guest one", serial, wait)
		}
		sleepUntil(mono() + int64(2*time.Millisecond))
	}
}

// findDisk returns the name of a disk in the kernel's folder of block devices, or empty.
func findDisk(class, serial string) (string, error) {
	files, err := filepath.Glob(filepath.Join(class, "*", "serial"))
	if err != nil {
		return "", fmt.Errorf("list disks: %w", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err == nil && strings.TrimSpace(string(data)) == serial {
			return filepath.Base(filepath.Dir(file)), nil
		}
	}
	return "", nil
}
