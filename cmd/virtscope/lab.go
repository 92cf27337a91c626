package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"virtscope/experiments/plan"
	"virtscope/results"
	"virtscope/runner"
	"virtscope/testbed"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
	"virtscope/testbed/image"
	"virtscope/testbed/provision"
)

var _ runner.Lab = (*lab)(nil)

// A lab makes the testbeds of one run on this machine.
type lab struct {
	id        runID
	dir       string // the run's runtime folder
	release   func(context.Context) error
	drivers   map[string]guest.Driver
	bootables map[string]bootable               // by imageKey
	found     map[guest.Spec]guest.Capabilities // by what Fingerprint looks at
	facts     []results.Fact
	// measured are facts that are never the same twice: how well links are emulated.
	measured []results.Fact
	// warnings of the drivers, by migrationKey; a key without any was checked too.
	warnings map[string][]string
	roots    map[string]image.Root         // by the workload that needs it
	large    string                        // the run's folder for disks and memory
	memory   string                        // the run's folder in this machine's memory; "" where no trial needs one
	warmed   map[string]*warmStart         // by warmKey
	touched  map[string][]provision.Extent // what a first boot reads, by imageKey
	calm     bool                          // there are trials of many guests, whose agents then rest; in all trials, so that they compare
	keys     *keys                         // of the run, for images of the user's; nil where there are none
}

// newLab checks everything that a plan needs, before anything starts: rights, devices, shaping, the
// hypervisor, the guest's image. The caller closes it.
func newLab(ctx context.Context, p *plan.Plan, id runID) (*lab, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("make the testbed: not root: run virtscope as root, it makes network namespaces and taps")
	}
	l := &lab{id: id, drivers: drivers(), bootables: map[string]bootable{}, warmed: map[string]*warmStart{}, touched: map[string][]provision.Extent{}, found: map[guest.Spec]guest.Capabilities{}, warnings: map[string][]string{}, roots: map[string]image.Root{}}
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
		report(checkTools(t.Spec))
		report(checkFleet(ctx, t.Spec))
		l.calm = l.calm || fleetSize(t.Spec) >= manyGuests
		report(l.checkGuest(ctx, local, t.Spec))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if err := l.measureLinks(ctx, p, id); err != nil {
		return nil, err
	}
	if err := l.claim(id, slices.ContainsFunc(p.Trials, func(t plan.Trial) bool { return inMemory(t.Spec) })); err != nil {
		return nil, err
	}
	return l, nil
}

// manyGuests is from how many guests on their agents look at their clocks less often (image.CalmParam).
const manyGuests = 8

// measureLinks finds out how well the links are emulated, once for each that differs.
func (l *lab) measureLinks(ctx context.Context, p *plan.Plan, id runID) error {
	seen := map[string]bool{}
	for _, t := range p.Trials {
		c := bedConfig(id, t.Spec)
		key := fmt.Sprintf("%+v %+v %s", c.Link, c.MigrationLink, c.Emulator)
		if c.MigrationLink != nil {
			key = fmt.Sprintf("%+v %+v %s", c.Link, *c.MigrationLink, c.Emulator)
		}
		if seen[key] {
			continue
		}
		seen[key] = true
		facts, err := testbed.Emulation(ctx, c)
		if err != nil {
			return err
		}
		for _, f := range facts {
			asked := c.Link
			if f.Subject == testbed.MigrationLinkName && c.MigrationLink != nil {
				asked = *c.MigrationLink
			}
			f.Subject += " " + asked.Emulated()
			l.measured = append(l.measured, f)
		}
	}
	return nil
}

// claim makes the run's folders.
func (l *lab) claim(id runID, inMemory bool) error {
	dir, release, err := testbed.Runtime(id.short)
	if err != nil {
		return err
	}
	// The runtime folder goes last: it says whose the others are.
	undo := []func(context.Context) error{release}
	l.release = func(ctx context.Context) error {
		var errs []error
		for _, f := range slices.Backward(undo) {
			errs = append(errs, f(ctx))
		}
		return errors.Join(errs...)
	}
	l.dir = dir
	large, remove, err := testbed.Scratch(id.short)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	l.large, undo = large, append(undo, remove)
	if !inMemory {
		return nil
	}
	memory, remove, err := testbed.MemoryScratch(id.short)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	l.memory, undo = memory, append(undo, remove)
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

// Close removes the run's folders.
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
	s := &site{lab: l, bed: bed, trial: t, dir: dir, scratch: scratch}
	if err := s.furnish(ctx); err != nil {
		return nil, errors.Join(err, s.Down(ctx))
	}
	return s, nil
}

// furnish makes the trial's folders, disks, and what starts and saves its guests.
func (s *site) furnish(ctx context.Context) (err error) {
	if s.large, err = os.MkdirTemp(s.lab.large, "t"); err != nil {
		return fmt.Errorf("make the trial's folder for disks: %w", err)
	}
	if inMemory(s.trial.Spec) {
		if s.memory, err = os.MkdirTemp(s.lab.memory, "t"); err != nil {
			return fmt.Errorf("make the trial's folder in memory: %w", err)
		}
	}
	if !s.trial.Spec.Action.Fleet() {
		if s.disk, err = s.makeDisk(ctx); err != nil {
			return fmt.Errorf("make the trial's disks: %w", err)
		}
	}
	if err := s.makeFleet(); err != nil {
		return err
	}
	return s.makeVault()
}
