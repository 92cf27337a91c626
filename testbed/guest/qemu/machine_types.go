package qemu

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

const machineMicroVM = "microvm"

// A board is how a machine type wants to be spoken to on the command line.
type board struct {
	name    string // -machine
	options string // after the name
	bus     string // how the names of virtio devices end
	noROM   string // option of a device that must not bring an option ROM
	ram     string // the memory's name in a migration stream: query-machines' default-ram-id
	globals []string
}

// boardOf knows microvm, and takes every other machine for a PC.
//
// A microvm has its virtio devices on virtio-mmio, which the guest finds by ACPI: a distribution's kernel does not read them
// from its command line (CONFIG_VIRTIO_MMIO_CMDLINE_DEVICES). A kernel that is booted by its PVH entry does not program
// the interrupt controller of old then, and dies in one of two starts of the first tick of the timer behind it: so it goes (pic=off).
// Modern virtio is what its documentation advises (docs/system/i386/microvm.rst).
func boardOf(s guest.Spec) board {
	name := cmp.Or(s.Machine, defaultMachine)
	if name == machineMicroVM {
		return board{
			name: name, options: ",pic=off", bus: "-device", ram: "microvm.ram",
			globals: []string{"-global", "virtio-mmio.force-legacy=false"},
		}
	}
	return board{name: name, bus: "-pci", noROM: ",romfile=", ram: "pc.ram"}
}

// virtio is the name of a virtio device on the board.
func (b board) virtio(kind string) string { return "virtio-" + kind + b.bus }

// kernelAppend is what an emulated kernel must be told beside Spec.Append.
//
// Under TCG the guest's time-stamp counter is the host's, and the kernel holds it against the PIT to learn its rate. On a busy
// host that goes wrong: a microvm's kernel finds none and hangs, and a q35's finds a wrong one; the clock of one ran 16 times too
// fast. So the rate is said (tsc_early_khz, Documentation/admin-guide/kernel-parameters.txt). KVM's guests have their own clock.
func kernelAppend(accel string, rate func() int64) string {
	if accel != accelTCG {
		return ""
	}
	khz := rate()
	if khz == 0 {
		return ""
	}
	return " tsc_early_khz=" + strconv.FormatInt(khz, 10)
}

// checkMachine asks the binary whether it has the machine that the spec names. The default, every QEMU for x86 has.
func (d *Driver) checkMachine(ctx context.Context, h host.Host, s guest.Spec) error {
	if s.Machine == "" || s.Machine == defaultMachine {
		return nil
	}
	known, err := d.known.of(ctx, h, binaryOf(s))
	if err != nil {
		return err
	}
	if _, ok := known.machines[s.Machine]; ok {
		return nil
	}
	return &guest.NotSupportedError{
		Feature: "machine " + s.Machine, Where: fmt.Sprintf("%s (QEMU %s)", h.Name(), known.versionString()),
		Remedy: "set guest.qemu.machine to one that -machine help lists, such as " + defaultMachine,
	}
}

// of returns what the binary is.
func (k *knowledge) of(ctx context.Context, h host.Host, binary string) (*dialect, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.dialect(ctx, h, binary)
}
