package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"virtscope/experiments/plan"
	"virtscope/experiments/spec"
	"virtscope/results"
	"virtscope/runner"
	"virtscope/testbed"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
	"virtscope/testbed/image"
)

var _ runner.Lab = (*lab)(nil)

// A lab makes the testbeds of one run on this machine.
type lab struct {
	id      runID
	dir     string // the run's runtime folder
	release func(context.Context) error
	drivers map[string]guest.Driver
	images  map[string]image.Image            // by the experiment's guest.kernel
	found   map[guest.Spec]guest.Capabilities // by what Fingerprint looks at
	facts   []results.Fact
}

// newLab checks everything that a plan needs, before anything starts: rights, devices, shaping, the
// hypervisor, the guest's image. The caller closes it.
func newLab(ctx context.Context, p *plan.Plan, id runID) (*lab, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("make the testbed: not root: run virtscope as root, it makes network namespaces and taps")
	}
	l := &lab{id: id, drivers: drivers(), images: map[string]image.Image{}, found: map[guest.Spec]guest.Capabilities{}}
	local, err := host.NewLocal("machine")
	if err != nil {
		return nil, err
	}
	defer func() { _ = local.Close() }()
	var errs []error
	seen := map[string]bool{}
	report := func(err error) {
		if err != nil && !seen[err.Error()] {
			seen[err.Error()] = true
			errs = append(errs, err)
		}
	}
	for _, t := range p.Trials {
		report(testbed.Check(bedConfig(id, t.Spec)))
		report(l.checkGuest(ctx, local, t.Spec))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	l.dir, l.release, err = testbed.Runtime(id.short)
	return l, err
}

// checkGuest finds out what the driver can do and makes the image, once for each that differs.
func (l *lab) checkGuest(ctx context.Context, local host.Host, s *spec.Experiment) error {
	d, ok := l.drivers[s.Guest.Driver]
	if !ok {
		return specError(fmt.Errorf("guest.driver: got %q: want one of %v", s.Guest.Driver, driverNames(l.drivers)))
	}
	key := fingerprintKey(s)
	if _, ok := l.found[key]; !ok {
		c, err := d.Fingerprint(ctx, local, key)
		if err != nil {
			return err
		}
		l.found[key] = c
		l.addFacts(c.Facts)
	}
	if s.Guest.Driver != driverQEMU {
		return nil
	}
	return l.makeImage(ctx, s.Guest.Kernel)
}

func (l *lab) makeImage(ctx context.Context, asked string) error {
	if _, ok := l.images[asked]; ok {
		return nil
	}
	kernel, err := image.FindKernel(asked)
	if err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the guest's init: %w", err)
	}
	init, err := image.FindInit(exe)
	if err != nil {
		return err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	img, err := image.Build(ctx, image.Options{Kernel: kernel, Init: init, CacheDir: filepath.Join(cache, "virtscope", "images")})
	if err != nil {
		return err
	}
	l.images[asked] = img
	l.addFacts([]results.Fact{
		{Subject: "guest", Name: "kernel", Value: img.Release},
		{Subject: "guest", Name: "image.sha256", Value: img.Hash},
		{Subject: "guest", Name: "kernel.append", Value: kernelAppend()},
	})
	return nil
}

// addFacts keeps each fact once.
func (l *lab) addFacts(facts []results.Fact) {
	for _, f := range facts {
		known := false
		for _, have := range l.facts {
			known = known || have == f
		}
		if !known {
			l.facts = append(l.facts, f)
		}
	}
}

// fingerprintKey is the part of a guest's spec on which a driver's abilities depend.
func fingerprintKey(s *spec.Experiment) guest.Spec {
	return guest.Spec{Name: s.Guest.Driver, Binary: s.Guest.QEMU.Binary, Accel: s.Guest.Accel, Machine: s.Guest.QEMU.Machine, NIC: guestNIC()}
}

// describe says what the guests run on.
func (l *lab) describe() string {
	var parts []string
	for key, c := range l.found {
		part := strings.TrimSpace(key.Name + " " + c.Version)
		if c.Accelerator != "" {
			part += fmt.Sprintf(" with %s (%s)", c.Accelerator, c.Why)
		}
		parts = append(parts, part)
	}
	slices.Sort(parts)
	return strings.Join(parts, "; ")
}

// Close removes the run's runtime folder.
func (l *lab) Close() error { return l.release(context.Background()) }

// Up implements runner.Lab.
func (l *lab) Up(ctx context.Context, t plan.Trial, dir string) (runner.Site, error) {
	bed, err := testbed.Up(ctx, bedConfig(l.id, t.Spec))
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp(l.dir, "t")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make the trial's runtime folder: %w", err), bed.Down(ctx))
	}
	return &site{lab: l, bed: bed, trial: t, dir: dir, scratch: scratch}, nil
}
