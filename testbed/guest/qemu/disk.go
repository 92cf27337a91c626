package qemu

import (
	"cmp"
	"context"
	"errors"
	"virtscope/results"
	"virtscope/testbed/guest"
)

// diskArguments are QEMU's arguments for the guest's disk on a host.
func diskArguments(s guest.Spec, host string, _ bool) []string {
	if s.Disk == nil {
		return nil
	}
	return []string{
		"-blockdev", "driver=" + cmp.Or(s.Disk.Format, "raw") + ",node-name=disk0,file.driver=file,file.filename=" + option(s.Disk.Paths[host]),
		"-device", "virtio-blk-pci,drive=disk0,serial=virtscope-disk",
	}
}

func movesDisk(s guest.Spec) bool { return s.Disk != nil && !s.Disk.Shared }

func checkDiskCopy(guest.Spec, guest.MigrateOptions) error {
	return &guest.NotSupportedError{Feature: "a local disk that moves with the guest", Where: "driver " + Name, Remedy: "share the disk"}
}

func prepareDiskImage(context.Context, guest.Spec, string, string, guest.MigrateOptions) error {
	return nil
}

func trackDisk(context.Context, *machine, guest.Spec) error { return nil }

// A diskCopy moves the guest's disk with its memory. Its methods are called one after the other.
type diskCopy interface {
	// prepare makes the destination take the disk. It is part of PrepareMigration.
	prepare(ctx context.Context) error
	// run copies, and returns when the copy follows the disk. It comes before the memory, and is part of Run.
	run(ctx context.Context) error
	// switchOver completes the copy. The guest is stopped, and goes on at the destination when it returns.
	switchOver(ctx context.Context) error
	// abandon ends the copy; the source's disk is the guest's. It comes in place of what has not been called yet.
	abandon(ctx context.Context)
}

func newDiskCopy(_, _ *machine, _ guest.Spec, _ guest.MigrateOptions, _ results.Recorder) (diskCopy, error) {
	return nil, errors.New("copy the disk: not supported")
}
