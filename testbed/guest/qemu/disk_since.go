package qemu

import (
	"context"
	"errors"
	"fmt"
	"os"
	"virtscope/testbed/guest"
	"virtscope/testbed/image"
)

// Names of what tells, at the destination, what the guest has written there.
const (
	diskSince    = "virtscope-since"
	diskCheck    = "disk0-check"
	diskCheckJob = "virtscope-check"
)

// noteWrites lets the destination's QEMU note what is written to the disk from now on, in a dirty bitmap: by the guest alone, if
// it is called when nobody else has the disk any more, and the guest does not run yet.
func noteWrites(ctx context.Context, vm *machine) error {
	return vm.mon.Execute(ctx, "block-dirty-bitmap-add", map[string]any{"node": diskNode, "name": diskSince}, nil)
}

// outside compares the destination's disk with the source's where the guest, which must be quiet, has written nothing since the
// switch-over. A copy of the source's image gets what the guest wrote, by blockdev-backup and the bitmap, and is held against
// the destination's: what still differs, nobody may have written.
//
// A backup copies clusters of 64 KiB (QEMU block/copy-before-write.c), so that this much around a write is not compared. It
// needs room beside the destination's image for one more.
func outside(ctx context.Context, here *machine, source, destination, format string) (_ image.DiskDifference, err error) {
	scratch := destination + ".check"
	if err := image.CopyDisk(ctx, source, scratch); err != nil {
		return image.DiskDifference{}, err
	}
	defer func() { err = errors.Join(err, os.Remove(scratch)) }()
	if err := copyWritten(ctx, here, scratch, format); err != nil {
		return image.DiskDifference{}, fmt.Errorf("copy what the guest wrote: %w", err)
	}
	return image.VerifyDisks(ctx, scratch, destination, format)
}

// copyWritten copies what the bitmap has from the disk to an image.
func copyWritten(ctx context.Context, here *machine, path, format string) error {
	events := here.mon.eventsFromNow(ctx)
	node := map[string]any{"driver": format, "node-name": diskCheck, "file": map[string]string{"driver": "file", "filename": path}}
	if err := here.mon.Execute(ctx, "blockdev-add", node, nil); err != nil {
		return err
	}
	job := map[string]any{
		"job-id": diskCheckJob, "device": diskNode, "target": diskCheck,
		"sync": "bitmap", "bitmap": diskSince, "bitmap-mode": "never", // another check needs the bits too
	}
	err := here.mon.Execute(ctx, "blockdev-backup", job, nil)
	if err == nil {
		_, err = awaitJob(ctx, events, here.proc.Done(), diskCheckJob, eventJobCompleted)
	}
	var outcome *guest.OutcomeError
	if errors.As(err, &outcome) { // this copy is no part of the migration
		err = errors.New(outcome.Error())
	}
	return errors.Join(err, here.mon.Execute(ctx, "blockdev-del", map[string]string{"node-name": diskCheck}, nil))
}
