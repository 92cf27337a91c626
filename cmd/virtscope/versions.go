package main

import (
	"strconv"
	"strings"
)

// atLeast reports whether a hypervisor's version, such as "10.0.2 (Debian 1:10.0.2)", is of a major release from major on. What cannot be
// read is not.
func atLeast(version string, major int) bool {
	head, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(head)
	return err == nil && n >= major
}
