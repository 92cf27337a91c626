package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// tick is what /proc/stat counts in, in s: USER_HZ is 100 on every architecture that Go supports.
const tick = 0.01

// busy is the CPU time, in s, that all processors spent since the machine started other than idle or waiting for a disk
// (proc(5), /proc/stat).
func busy() (float64, error) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, fmt.Errorf("read CPU time: %w", err)
	}
	first, _, _ := strings.Cut(string(stat), "\n")
	fields := strings.Fields(first)
	if len(fields) < 8 || fields[0] != "cpu" {
		return 0, fmt.Errorf("read CPU time: /proc/stat begins with %q", first)
	}
	var sum int64
	for i, field := range fields[1:8] { // user nice system idle iowait irq softirq
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read CPU time: %w", err)
		}
		if i != 3 && i != 4 {
			sum += n
		}
	}
	return float64(sum) * tick, nil
}
