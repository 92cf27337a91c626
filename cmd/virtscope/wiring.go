package main

import (
	"maps"
	"os"
	"slices"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/guesttest"
	"virtscope/testbed/guest/qemu"
)

// Names of drivers in an experiment.
const (
	driverQEMU     = qemu.Name
	driverScripted = guesttest.Name
)

// drivers is every driver that virtscope has.
func drivers() map[string]guest.Driver {
	list := []guest.Driver{
		qemu.New(),
		guesttest.New(guesttest.Config{Command: []string{selfPath(), scriptedGuestName}}),
	}
	byName := make(map[string]guest.Driver, len(list))
	for _, d := range list {
		byName[d.Name()] = d
	}
	return byName
}

func driverNames(d map[string]guest.Driver) []string { return slices.Sorted(maps.Keys(d)) }

// selfPath is this program, to be run again.
func selfPath() string {
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}
