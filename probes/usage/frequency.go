package usage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"virtscope/results"

	"golang.org/x/sys/unix"
)

// frequencyOf are the figures over the CPUs.
var frequencyOf = [3]map[string]string{{"of": "min"}, {"of": "mean"}, {"of": "max"}}

// cpuFiles are the files of all CPUs at a path below each one's folder; none is an error that says why.
func cpuFiles(sys, below, lack string) ([]string, error) {
	list, err := filepath.Glob(filepath.Join(sys, "devices/system/cpu/cpu[0-9]*", below))
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("no CPU has %s: %s", below, lack)
	}
	return list, err
}

// sampleFrequency records the CPUs' frequencies. A CPU that is off has none, and is left out.
func sampleFrequency(files []string, emit emitter) error {
	at := time.Now().UnixNano()
	var least, most, sum, n float64
	for _, path := range files {
		kHz, err := readNumber(path)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.EBUSY) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read a CPU's frequency: %w", err)
		}
		if kHz <= 0 {
			continue // <unknown> of some drivers
		}
		if n == 0 || kHz < least {
			least = kHz
		}
		most, sum, n = max(most, kHz), sum+kHz, n+1
	}
	if n == 0 {
		return nil // the records say nothing, and so does who reads them
	}
	for i, kHz := range [3]float64{least, sum / n, most} {
		emit(at, results.HostFreq, kHz*1e3, results.Hertz, frequencyOf[i])
	}
	return nil
}

// throttleFiles are the counters of Intel's CPUs, by what they count.
var throttleFiles = map[string]string{
	"core": "thermal_throttle/core_throttle_count", "package": "thermal_throttle/package_throttle_count",
}

// sampleThrottle records the sum over the CPUs of one kind of counter.
func sampleThrottle(files []string, attrs map[string]string, emit emitter) error {
	at := time.Now().UnixNano()
	sum := 0.0
	for _, path := range files {
		v, err := readNumber(path)
		if err != nil {
			return fmt.Errorf("read a CPU's throttle count: %w", err)
		}
		sum += v
	}
	emit(at, results.HostThrottle, sum, results.One, attrs)
	return nil
}

// readNumber reads a file that holds a whole number; "<unknown>" is 0.
func readNumber(path string) (float64, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	text := strings.TrimSpace(string(b))
	if text == "<unknown>" {
		return 0, nil
	}
	v, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return float64(v), nil
}
