//go:build !linux

package influx

// lowerThread does nothing: threads have no priority of their own here.
func lowerThread() {}
