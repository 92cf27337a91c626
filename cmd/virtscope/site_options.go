package main

import (
	"time"
	"virtscope/experiments/spec"
	"virtscope/testbed"
	"virtscope/testbed/guest"
)

// The ports at which a destination listens.
const (
	migrationPort = 4444
	diskPort      = 10809 // NBD's own
)

// migrateOptions is an experiment's migration in the driver's words, but for what only a testbed that is up knows.
func migrateOptions(s *spec.Experiment) (guest.MigrateOptions, error) {
	m := s.Action.Migrate
	rounds, after, notConverging, err := m.PostcopySwitch()
	if err != nil {
		return guest.MigrateOptions{}, err
	}
	o := guest.MigrateOptions{
		Algorithm: m.Algorithm, Port: migrationPort, DiskPort: diskPort,
		MaxBandwidth: float64(m.MaxBandwidth), DowntimeLimit: time.Duration(m.DowntimeLimit),
		MaxRounds: m.MaxRounds, PauseAfterRounds: m.PauseAfterRounds, Timeout: time.Duration(m.Timeout),
		Switch:          guest.PostCopySwitch{Rounds: rounds, After: after, NotConverging: notConverging},
		PostCopyPreempt: m.PostcopyPreempt, PostCopyBandwidth: float64(m.PostcopyBandwidth),
		PostCopyRecovery: time.Duration(m.PostcopyRecovery),
		XBZRLECache:      int64(m.XBZRLECache),
		Channels:         m.Channels, Compression: m.Compression, CompressionLevel: m.CompressionLevel,
		CompressThreads: m.CompressThreads, DecompressThreads: m.DecompressThreads,
		ThrottleInitial: m.ThrottleInitial, ThrottleIncrement: m.ThrottleIncrement, ThrottleMax: m.ThrottleMax,
		DirtyLimit: float64(m.DirtyLimit), DirtyLimitPeriod: time.Duration(m.DirtyLimitPeriod),
		ReturnPath: m.ReturnPath, SwitchoverAck: m.SwitchoverAck, TLS: m.TLS,
		DiskCopy: m.DiskCopy, DiskWrites: m.DiskWrites, DiskBandwidth: float64(m.DiskBandwidth),
		CancelAfter: time.Duration(m.CancelAfter), KillDestinationAfter: time.Duration(m.KillDestinationAfter),
		Capabilities: m.QEMU.Capabilities, Parameters: m.QEMU.Parameters,
		Outage: time.Duration(m.Outage),
	}
	if m.ZeroPageDetection != "default" {
		o.ZeroPageDetection = m.ZeroPageDetection
	}
	return o, nil
}

// guestDisk is an experiment's disk with its images in dir, or nil.
func guestDisk(s *spec.Experiment, dir string) *guest.Disk {
	d := s.Guest.Disk
	if d == nil {
		return nil
	}
	disk := &guest.Disk{Size: int64(d.Size), Format: d.Format, Shared: d.Storage == "shared", Paths: map[string]string{}}
	for _, host := range []string{testbed.Source, testbed.Destination} {
		disk.Paths[host] = dir + "/disk-" + host + ".img"
		if disk.Shared {
			disk.Paths[host] = dir + "/disk.img"
		}
	}
	m := s.Action.Migrate
	disk.Track = m != nil && m.DiskCopy == "incremental" && !disk.Shared
	return disk
}
