package qemu

import (
	"context"
	"fmt"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// checkPrivate refuses a QEMU that cannot map a file privately which it may only read: rom=off came with 8.2 (qapi/qom.json,
// MemoryBackendFileProperties).
func (d *Driver) checkPrivate(ctx context.Context, h host.Host, s guest.Spec, o guest.RestoreOptions) error {
	version, err := d.version(ctx, h, binaryOf(s))
	if err != nil || mapsPrivately(version) {
		return err
	}
	remedy := "use QEMU 8.2 or newer (guest.qemu.binary), or keep the guest's memory in a file and load it eagerly"
	if !o.OnDemand {
		remedy = "use QEMU 8.2 or newer (guest.qemu.binary), or give the guest a memory file of its own"
	}
	return &guest.NotSupportedError{
		Feature: "a saved memory file that is mapped privately", Where: fmt.Sprintf("%s (QEMU %s)", h.Name(), version), Remedy: remedy,
	}
}

// mapsPrivately takes a version that it cannot read for a new one: QEMU itself then says what it cannot.
func mapsPrivately(version string) bool {
	var major, minor int
	if n, _ := fmt.Sscanf(version, "%d.%d", &major, &minor); n != 2 {
		return true
	}
	return major > 8 || major == 8 && minor >= 2
}
