package qemu

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"virtscope/testbed/guest"
	"virtscope/testbed/image"
)

// Names of what belongs to the guest's disk in QEMU.
const (
	diskNode   = "disk0" // the disk as the guest sees it; also the NBD export's name
	diskFile   = "disk0-file"
	diskTarget = "disk0-target" // at the source: the destination's disk, by NBD
	diskExport = "disk0-export" // at the destination
	diskBitmap = "virtscope-boot"
	diskDevice = "disk0-device"
	diskSerial = "virtscope-disk"
)

// The values of MigrateOptions.DiskCopy and DiskWrites.
const (
	copyMirror      = "mirror"
	copyIncremental = "incremental"

	writesBackground = "background"
	writesBlocking   = "write-blocking"
)

// diskArguments gives the guest its disk: nothing without one. Both ends get the same device and the same nodes, each
// with the file of its own host.
//
// The page cache of the host is left out (cache.direct): two hosts that share a file would each have their own, and a
// write would be measured as done when it has only reached memory. The file's lock follows the guest: an end that waits
// for a migration opens its disk inactive, which takes none (QEMU docs/interop/live-block-operations.rst and
// BDRV_O_INACTIVE), so that with shared storage both ends have it open.
func diskArguments(s guest.Spec, host string, _ bool) []string {
	if s.Disk == nil {
		return nil
	}
	first := ""
	if s.Start.Boot == guest.BootFirmware {
		first = ",bootindex=0"
	}
	return []string{
		"-blockdev", "driver=file,node-name=" + diskFile + ",filename=" + option(s.Disk.Paths[host]) +
			",cache.direct=on,cache.no-flush=off,aio=threads,discard=unmap,locking=on",
		"-blockdev", "driver=" + diskFormat(s.Disk) + ",node-name=" + diskNode + ",file=" + diskFile +
			",cache.direct=on,cache.no-flush=off,discard=unmap",
		"-device", boardOf(s).virtio("blk") + ",id=" + diskDevice + ",drive=" + diskNode + ",serial=" + diskSerial + first,
	}
}

func diskFormat(d *guest.Disk) string {
	if d.Format == "" {
		return image.Raw
	}
	return d.Format
}

// movesDisk reports whether a migration of the guest copies its disk.
func movesDisk(s guest.Spec) bool { return s.Disk != nil && !s.Disk.Shared }

// prepareDiskImage makes sure that the destination has an image before its QEMU starts. A mirror gets an empty one, in
// place of whatever an earlier migration left there. An incremental copy goes on from the copy that was made before
// the boot, which must be there. With shared storage there is nothing to do.
func prepareDiskImage(ctx context.Context, s guest.Spec, src, dst string, o guest.MigrateOptions) error {
	if !movesDisk(s) {
		return nil
	}
	from, to := s.Disk.Paths[src], s.Disk.Paths[dst]
	if from == "" || to == "" {
		return fmt.Errorf("prepare the disk's image on %s: the disk has no path there or on %s", dst, src)
	}
	there, err := os.Stat(to)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("prepare the disk's image on %s: %w", dst, err)
	}
	here, hereErr := os.Stat(from)
	if hereErr != nil {
		return fmt.Errorf("prepare the disk's image on %s: find that of %s: %w", dst, src, hereErr)
	}
	switch {
	case from == to, err == nil && os.SameFile(here, there):
		return fmt.Errorf("prepare the disk's image on %s: %s is the disk of %s too: give each host its own, or share the storage", dst, to, src)
	case o.DiskCopy != copyIncremental:
		return image.MakeDisk(ctx, to, s.Disk.Size, 0, diskFormat(s.Disk), 0)
	case err != nil:
		return fmt.Errorf("prepare the disk's image on %s: an incremental copy needs the disk's state at boot there: %w: copy %s before the guest boots", dst, err, from)
	}
	return nil
}

// trackDisk lets QEMU note what the guest writes from now on, in a dirty bitmap, if the disk asks for it. It is called as
// soon as QEMU runs. What the guest had written before would be missing from an incremental copy, so that is an error.
func trackDisk(ctx context.Context, vm *machine, s guest.Spec) error {
	if s.Disk == nil || !s.Disk.Track {
		return nil
	}
	err := vm.mon.Execute(ctx, "block-dirty-bitmap-add", map[string]any{"node": diskNode, "name": diskBitmap}, nil)
	if err != nil {
		return fmt.Errorf("track writes to the disk on %s: %w", vm.host.Name(), err)
	}
	written, err := guestWrites(ctx, vm.mon)
	if err != nil {
		return fmt.Errorf("track writes to the disk on %s: %w", vm.host.Name(), err)
	}
	if written.operations > 0 {
		return fmt.Errorf("track writes to the disk on %s: the guest wrote to it before they were tracked: boot it again", vm.host.Name())
	}
	return nil
}
