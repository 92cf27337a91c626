package energy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A NotSupportedError says that this machine cannot do something.
type NotSupportedError struct {
	Feature string // what is missing
	Where   string // where it was looked for
	Remedy  string // what the user can do
}

// Error implements error.
func (e *NotSupportedError) Error() string {
	return fmt.Sprintf("%s: not supported by this machine (looked in %s): %s", e.Feature, e.Where, e.Remedy)
}

// Available is nil if there is an energy counter under root that can be read (empty is Root), else a
// *NotSupportedError, or the error with which a counter could not be read.
func Available(root string) error {
	if root == "" {
		root = Root
	}
	_, err := find(root)
	return err
}

// A zone is one energy counter.
type zone struct {
	path  string
	attrs map[string]string
	limit uint64 // µJ: after this value the counter is 0 again
	last  uint64 // µJ
	total uint64 // µJ since begin
}

// controlType begins the names of the zones that are wanted. intel-rapl is AMD's too. intel-rapl-mmio is left out: it is the
// same package again by another way.
const controlType = "intel-rapl:"

// find lists the energy counters, by name of their folder, and makes sure that each can be read.
func find(root string) ([]*zone, error) {
	entries, err := os.ReadDir(root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list energy counters: %w", err)
	}
	var zones []*zone
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), controlType) {
			continue
		}
		z, err := open(root, e.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue // a zone without an energy counter
		}
		if err != nil {
			return nil, err
		}
		zones = append(zones, z)
	}
	if len(zones) == 0 {
		return nil, &NotSupportedError{
			Feature: "energy counters (RAPL)", Where: root,
			Remedy: "set probes.energy.interval to 0, or run on bare metal with the intel_rapl_msr module loaded",
		}
	}
	return zones, distinct(zones)
}

// open reads what does not change of a zone.
func open(root, name string) (*zone, error) {
	z := &zone{path: filepath.Join(root, name, "energy_uj")}
	var err error
	if z.limit, err = number(filepath.Join(root, name, "max_energy_range_uj")); err != nil {
		return nil, err
	}
	if z.last, err = number(z.path); err != nil {
		return nil, err
	}
	domain, err := domain(root, name)
	if err != nil {
		return nil, err
	}
	z.attrs = map[string]string{"domain": domain}
	return z, nil
}

// domain is the zone's name behind those of the zones around it: intel-rapl:0:1 lies in intel-rapl:0.
func domain(root, name string) (string, error) {
	parts := strings.Split(name, ":")
	var names []string
	for i := 2; i <= len(parts); i++ {
		b, err := os.ReadFile(filepath.Join(root, strings.Join(parts[:i], ":"), "name"))
		if err != nil {
			return "", fmt.Errorf("read name of energy counter: %w", err)
		}
		names = append(names, strings.TrimSpace(string(b)))
	}
	return strings.Join(names, "/"), nil
}

// distinct is an error if two zones have one domain: their series could not be told apart.
func distinct(zones []*zone) error {
	var domains []string
	for _, z := range zones {
		if d := z.attrs["domain"]; slices.Contains(domains, d) {
			return fmt.Errorf("list energy counters: two are called %s", d)
		}
		domains = append(domains, z.attrs["domain"])
	}
	return nil
}

// number reads a file that holds one number.
func number(path string) (uint64, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrPermission) {
		return 0, fmt.Errorf("read energy counter: %w: run as root", err)
	}
	if err != nil {
		return 0, fmt.Errorf("read energy counter: %w", err)
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read energy counter %s: %w", path, err)
	}
	return n, nil
}

// most is more power than any domain draws: it bounds how soon a counter can wrap round.
const most = 2000 // W

// begin starts to count. The interval must be short enough to see every wrap.
func (z *zone) begin(interval time.Duration) (err error) {
	if shortest := float64(z.limit) / 1e6 / most; interval.Seconds() >= shortest {
		return fmt.Errorf("sample energy of %s every %v: its counter may wrap round within %.3g s: set probes.energy.interval lower",
			z.attrs["domain"], interval, shortest)
	}
	z.total = 0
	z.last, err = number(z.path)
	return err
}

// used is the energy since begin, in J.
func (z *zone) used() (float64, error) {
	now, err := number(z.path)
	if err != nil {
		return 0, err
	}
	if now > z.limit {
		return 0, fmt.Errorf("read energy counter %s: %d µJ is above its range of %d", z.path, now, z.limit)
	}
	if now >= z.last {
		z.total += now - z.last
	} else {
		z.total += z.limit - z.last + now
	}
	z.last = now
	return float64(z.total) / 1e6, nil
}
