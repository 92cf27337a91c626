package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"virtscope/experiments/spec"
	"virtscope/testbed"
	"virtscope/testbed/image"
)

// cacheDir is where images are kept between runs.
func cacheDir() string {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return filepath.Join(cache, "virtscope")
}

// makeDisk makes the images with which a trial's guest boots. An incremental copy goes on from one that is at the
// destination already.
func makeDisk(ctx context.Context, s *spec.Experiment, dir string) error {
	disk := guestDisk(s, dir)
	if disk == nil {
		return nil
	}
	source := disk.Paths[testbed.Source]
	d := s.Guest.Disk
	// The content is the same in all trials: it is made once.
	if err := image.PrepareDisk(ctx, filepath.Join(cacheDir(), "disks"), source, disk.Size, d.Filled, disk.Format, 1); err != nil {
		return fmt.Errorf("make the guest's disk: %w", err)
	}
	if disk.Track {
		if err := image.CopyDisk(ctx, source, disk.Paths[testbed.Destination]); err != nil {
			return fmt.Errorf("copy the guest's disk to the destination: %w", err)
		}
	}
	return nil
}
