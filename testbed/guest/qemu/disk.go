package qemu

import (
	"cmp"
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

// newDiskCopy makes the copy of the disk that goes with m.
func newDiskCopy(*migration) diskCopy { return nil }
