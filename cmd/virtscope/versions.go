package main

import (
	"fmt"
	"virtscope/experiments/spec"
	"virtscope/testbed/guest"
)

// atLeast reports whether a hypervisor's version, such as "10.0.2 (Debian 1:10.0.2)", is major.minor or later. What cannot be read
// is not.
func atLeast(version string, major, minor int) bool {
	var x, y int
	if n, _ := fmt.Sscanf(version, "%d.%d", &x, &y); n < 2 {
		return false
	}
	return x > major || x == major && y >= minor
}

// checkStart refuses a start from a saved guest that the hypervisor cannot map, before anything starts: QEMU can since 8.2
// (rom=off of memory-backend-file).
func (l *lab) checkStart(s *spec.Experiment) error {
	version := l.found[fingerprintKey(s)].Version
	if s.Guest.Start == "cold" || keepsMemoryFile(s) || s.Guest.Driver != driverQEMU || atLeast(version, 8, 2) {
		return nil
	}
	return &guest.NotSupportedError{
		Feature: "guest.start: " + s.Guest.Start, Where: "QEMU " + version,
		Remedy: "take QEMU 8.2 or newer (guest.qemu.binary), or guest.start: cold",
	}
}
