package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"virtscope/experiments/spec"
	"virtscope/testbed"
	"virtscope/testbed/guest"
	"virtscope/testbed/image"
	"virtscope/testbed/provision"
)

// cacheDir is where images are kept between runs.
func cacheDir() string {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return filepath.Join(cache, "virtscope")
}

// makeDisk makes the disk with which the trial's guest boots; nil if it has none. That of an image is an overlay of it, which
// both hosts see.
func (s *site) makeDisk(ctx context.Context) (*guest.Disk, error) {
	t := s.lab.bootable(s.trial.Spec).template
	if t.Path == "" {
		return makeDisk(ctx, s.trial.Spec, s.large)
	}
	path := filepath.Join(s.large, "disk.img")
	if err := provision.OverlayOf(ctx, s.Source(), t.Path, t.Format, path, t.Size); err != nil {
		return nil, err
	}
	return diskAt(path, "qcow2", t.Size, bothEnds...), nil
}

// makeDisk makes the images with which a trial's guest boots. An incremental copy goes on from one that is at the
// destination already.
func makeDisk(ctx context.Context, s *spec.Experiment, dir string) (*guest.Disk, error) {
	disk := guestDisk(s, dir)
	if disk == nil {
		return nil, nil
	}
	source := disk.Paths[testbed.Source]
	d := s.Guest.Disk
	// The content is the same in all trials: it is made once.
	if err := image.PrepareDisk(ctx, filepath.Join(cacheDir(), "disks"), source, disk.Size, d.Filled, disk.Format, 1); err != nil {
		return nil, fmt.Errorf("make the guest's disk: %w", err)
	}
	if disk.Track {
		if err := image.CopyDisk(ctx, source, disk.Paths[testbed.Destination]); err != nil {
			return nil, fmt.Errorf("copy the guest's disk to the destination: %w", err)
		}
	}
	return disk, nil
}
