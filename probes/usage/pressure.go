package usage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
	"virtscope/results"

	"golang.org/x/sys/unix"
)

// resources of which the kernel accounts pressure.
var resources = []string{"cpu", "io", "memory"}

// A pressure is one file of /proc/pressure, kept open.
type pressure struct {
	fd         int
	path       string
	some, full map[string]string // attributes; full is nil where the kernel defines none
}

// openPressure opens what the machine has, and says of the rest why there is none: the kernel may be built without it (CONFIG_PSI), or
// leave it off unless it is booted with psi=1; reading then fails.
func openPressure(dir string, absent func(name string, err error)) []*pressure {
	var list []*pressure
	var buf [256]byte
	for _, r := range resources {
		p := &pressure{path: dir + "/" + r, some: map[string]string{"resource": r, "kind": "some"}}
		if r != "cpu" { // psi.rst: full is undefined for the CPUs of a machine, and reported as 0
			p.full = map[string]string{"resource": r, "kind": "full"}
		}
		var err error
		if p.fd, err = unix.Open(p.path, unix.O_RDONLY|unix.O_CLOEXEC, 0); err == nil {
			if _, err = unix.Pread(p.fd, buf[:], 0); err != nil {
				_ = unix.Close(p.fd)
			}
		}
		if err != nil {
			absent(results.HostPressure+" "+r, noPressure(p.path, err))
			continue
		}
		list = append(list, p)
	}
	return list
}

func noPressure(path string, err error) error {
	err = &fs.PathError{Op: "read", Path: path, Err: err}
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.EOPNOTSUPP) {
		return fmt.Errorf("%w: the kernel accounts no pressure: boot it with psi=1", err)
	}
	return err
}

func (p *pressure) sample(emit emitter) error {
	var buf [256]byte
	at := time.Now().UnixNano()
	n, err := unix.Pread(p.fd, buf[:], 0)
	if err != nil {
		return fmt.Errorf("read %s: %w", p.path, err)
	}
	totals, err := parsePressure(string(buf[:n]))
	if err != nil {
		return fmt.Errorf("read %s: %w", p.path, err)
	}
	for kind, attrs := range map[string]map[string]string{"some": p.some, "full": p.full} {
		if v, ok := totals[kind]; ok && attrs != nil {
			emit(at, results.HostPressure, v, results.Seconds, attrs)
		}
	}
	return nil
}

func (p *pressure) close() { _ = unix.Close(p.fd) }

// parsePressure reads the totals, in s, of lines such as "some avg10=0.00 avg60=0.00 avg300=0.00 total=1234" (µs).
func parsePressure(text string) (map[string]float64, error) {
	totals := map[string]float64{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		value, ok := "", false
		for _, f := range fields[1:] {
			if v, is := strings.CutPrefix(f, "total="); is {
				value, ok = v, true
			}
		}
		if !ok {
			return nil, fmt.Errorf("line %q has no total", strings.TrimSpace(line))
		}
		us, err := strconv.ParseUint(value, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("total of %s: %w", fields[0], err)
		}
		totals[fields[0]] = float64(us) / 1e6
	}
	if _, ok := totals["some"]; !ok {
		return nil, fmt.Errorf("%q has no line for some", text)
	}
	return totals, nil
}
