package qemu

import (
	"errors"
	"fmt"
	"io"
	"os"
	"virtscope/testbed/guest"
)

const initrdPage = 4096

// needsPad reports whether QEMU would lay the initramfs over the firmware's tables. It puts the end of an initramfs of a PVH start
// into the last page of memory, all but the bytes that its begin's alignment leaves; on a microvm the ACPI tables are at that
// page's end, and a guest whose tables were overwritten hangs. (A PC leaves them room; a bzImage's loader moves the initramfs.)
func needsPad(s guest.Spec) bool {
	return s.Machine == machineMicroVM && s.Start.Boot == guest.BootPVH && s.Initrd != ""
}

// padInitrd copies the initramfs with zeros after it, which the kernel skips, so that of the last page it takes the first byte alone.
func padInitrd(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("pad the initramfs: %w", err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("pad the initramfs: %w", err)
	}
	n, err := io.Copy(out, in)
	if err == nil {
		err = out.Truncate((n+initrdPage-2)/initrdPage*initrdPage + 1)
	}
	if err := errors.Join(err, out.Close()); err != nil {
		return errors.Join(fmt.Errorf("pad the initramfs: %w", err), os.Remove(to))
	}
	return nil
}
