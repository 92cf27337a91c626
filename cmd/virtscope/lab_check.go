package main

import (
	"context"
	"fmt"
	"path/filepath"
	"virtscope/experiments/spec"
	"virtscope/testbed"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// fingerprintKey is the part of a guest's spec on which a driver's abilities depend.
func fingerprintKey(s *spec.Experiment) guest.Spec {
	return guest.Spec{
		Name: s.Guest.Driver, Binary: s.Guest.QEMU.Binary, DestinationBinary: s.Guest.QEMU.DestinationBinary,
		Accel: s.Guest.Accel, Machine: s.Guest.QEMU.Machine, DirtyRing: s.Guest.QEMU.DirtyRing, NIC: guestNIC(),
	}
}

// checkGuest finds out what the driver can do, whether both ends can do the migration, and makes the images, once for
// each that differs.
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
	if err := l.checkStart(s); err != nil {
		return err
	}
	if err := l.checkMigration(ctx, d, s); err != nil {
		return err
	}
	if s.Guest.Driver != driverQEMU {
		return nil
	}
	if err := l.makeRoot(ctx, s); err != nil {
		return err
	}
	return l.makeBootable(ctx, s)
}

// migrationKey tells apart what a driver judges by itself.
func migrationKey(s *spec.Experiment) string {
	disk := ""
	if s.Guest.Disk != nil {
		disk = fmt.Sprintf("%+v", *s.Guest.Disk)
	}
	if s.Action.Migrate == nil {
		return ""
	}
	return fmt.Sprintf("%+v %s %+v", fingerprintKey(s), disk, *s.Action.Migrate)
}

// checkMigration asks both ends, which on this testbed are this machine under the names of its hosts.
func (l *lab) checkMigration(ctx context.Context, d guest.Driver, s *spec.Experiment) error {
	checker, ok := d.(guest.MigrationChecker)
	if !ok || s.Action.Migrate == nil {
		return nil
	}
	key := migrationKey(s)
	if _, ok := l.warnings[key]; ok {
		return nil
	}
	o, err := migrateOptions(s)
	if err != nil {
		return specError(fmt.Errorf("action.migrate: %w", err))
	}
	o.File = filepath.Join(l.dir, "memory")
	var ends [2]host.Host
	for i, name := range []string{testbed.Source, testbed.Destination} {
		h, err := host.NewLocal(name)
		if err != nil {
			return err
		}
		defer func() { _ = h.Close() }()
		ends[i] = h
	}
	g := fingerprintKey(s)
	g.Memory, g.VCPUs, g.Disk = int64(s.Guest.Memory), s.Guest.VCPUs, guestDisk(s, "")
	warnings, err := checker.CheckMigration(ctx, ends[0], ends[1], g, o)
	if err != nil {
		return err
	}
	l.warnings[key] = warnings
	return nil
}
