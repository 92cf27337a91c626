package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// cpuRoot is the kernel's folder of CPUs.
const cpuRoot = "/sys/devices/system/cpu"

// onlineCPUs counts the CPUs that the kernel runs on: those of a list such as 0-3,5. Go's own count is from the program's start.
func onlineCPUs(root string) (int, error) {
	list, err := os.ReadFile(filepath.Join(root, "online"))
	if err != nil {
		return 0, fmt.Errorf("read online CPUs: %w", err)
	}
	n := 0
	for part := range strings.SplitSeq(strings.TrimSpace(string(list)), ",") {
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		a, errA := strconv.Atoi(low)
		b, errB := strconv.Atoi(high)
		if errA != nil || errB != nil || a < 0 || b < a {
			return 0, fmt.Errorf("parse online CPUs %q: want a list such as 0-3,5", list)
		}
		n += b - a + 1
	}
	return n, nil
}

// cpus is the number of CPUs that the guest runs on.
func cpus() int {
	n, err := onlineCPUs(cpuRoot)
	if err != nil {
		return runtime.NumCPU()
	}
	return n
}

// takeCPUs brings CPUs that were plugged in online until so many run, and returns how many do. It waits for them to appear.
func takeCPUs(root string, want int, wait time.Duration) (n int, err error) {
	if want < 1 {
		return 0, fmt.Errorf("take vCPUs: %d wanted: want at least 1", want)
	}
	done, err := poll(wait, 5*time.Millisecond, func() (bool, error) {
		if n, err = onlineCPUs(root); err != nil || n >= want {
			return n >= want, err
		}
		if err := bringOnline(root, want-n); err != nil {
			return false, err
		}
		n, err = onlineCPUs(root)
		return n >= want, err
	})
	if err != nil {
		return n, fmt.Errorf("take vCPUs: %w", err)
	}
	if !done {
		return n, fmt.Errorf("take vCPUs: %d run after %v, %d wanted: plug them in first", n, wait, want)
	}
	return n, nil
}

// bringOnline brings up to most CPUs online. One that somebody else brings online at the same time is fine.
func bringOnline(root string, most int) error {
	files, err := filepath.Glob(filepath.Join(root, "cpu[0-9]*", "online"))
	if err != nil {
		return fmt.Errorf("list CPUs: %w", err)
	}
	for _, file := range files {
		state, err := os.ReadFile(file)
		if err != nil || strings.TrimSpace(string(state)) != "0" {
			continue
		}
		if most == 0 {
			return nil
		}
		most--
		if err := os.WriteFile(file, []byte("1"), 0); err != nil {
			if now, again := os.ReadFile(file); again == nil && strings.TrimSpace(string(now)) == "1" {
				continue
			}
			return fmt.Errorf("bring CPU online: %w", err)
		}
	}
	return nil
}
