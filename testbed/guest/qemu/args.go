package qemu

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
)

// DefaultBinary is the QEMU that runs when the experiment names none.
const DefaultBinary = "qemu-system-x86_64"

const defaultMachine = "q35"

// arguments is QEMU's command line for s. Both ends of a migration get the same devices, in the same order, as
// the stream demands; only the incoming one waits for it.
func arguments(s guest.Spec, accel string, f files, r role) []string {
	cpu := "host"
	if accel == accelTCG {
		cpu = "max"
	}
	b := boardOf(s)
	object, memory := memoryArguments(s, b, f, r)
	args := append(object,
		"-name", option(s.Name)+",debug-threads=on",
		"-machine", option(b.name)+b.options+memory, "-accel", accelArgument(s, accel), "-cpu", cpu,
		"-smp", processors(s), "-m", fmt.Sprintf("size=%dk", s.Memory/1024),
		"-nodefaults", "-no-user-config", "-display", "none",
		"-no-reboot", // a guest that crashes ends, and is seen to end
	)
	args = append(args, b.globals...)
	args = append(args, wayIn(s, f)...)
	args = append(args, "-qmp", "unix:"+option(f.qmp)+",server=on,wait=off")
	args = append(args, consoleArguments(s, f, r)...)
	args = append(args,
		"-netdev", "tap,id=net0,ifname="+option(s.NIC.Tap)+",script=no,downscript=no",
		// No option ROM: the kernel is loaded directly, and not every installation has the ROMs.
		"-device", b.virtio("net")+",netdev=net0"+b.noROM+",mac="+s.NIC.MAC,
		"-device", b.virtio("serial"),
		"-chardev", "socket,id=agent,path="+option(f.agent)+",server=on,wait=off",
		"-device", "virtserialport,chardev=agent,name="+agent.Port,
	)
	args = append(args, diskArguments(s, f.host, r.incoming)...)
	if s.Root != "" {
		// Both ends read the one image at the same time, so nobody locks it.
		args = append(args, imageArguments(b, "root0", rootSerial, s.Root)...)
	}
	if s.Start.Seed != "" {
		args = append(args, imageArguments(b, "seed0", seedSerial, s.Start.Seed)...)
	}
	if s.Start.Balloon {
		args = append(args, "-device", b.virtio("balloon")+",id=balloon0")
	}
	args = append(args, traceArguments(f)...)
	if r.incoming {
		args = append(args, "-incoming", "defer")
	}
	return args
}

// Serial numbers of the read-only disks.
const (
	rootSerial = "virtscope-root"
	seedSerial = "virtscope-seed"
)

// imageArguments attach a raw image that is only read, by any number of guests.
func imageArguments(b board, node, serial, path string) []string {
	return []string{
		"-blockdev", "driver=raw,node-name=" + node + ",read-only=on,file.driver=file,file.locking=off,file.filename=" + option(path),
		"-device", b.virtio("blk") + ",drive=" + node + ",serial=" + serial + b.noROM,
	}
}

func processors(s guest.Spec) string {
	if s.Start.MaxVCPUs > s.VCPUs {
		return fmt.Sprintf("%d,maxcpus=%d", s.VCPUs, s.Start.MaxVCPUs)
	}
	return strconv.Itoa(s.VCPUs)
}

// wayIn is what the guest's first instruction belongs to. QEMU itself tells a bzImage from a vmlinux with a PVH entry.
func wayIn(s guest.Spec, f files) []string {
	if s.Start.Boot == guest.BootFirmware {
		if s.Start.Firmware == firmwareUEFI {
			return []string{"-bios", f.uefi}
		}
		return nil
	}
	args := []string{"-kernel", s.Kernel}
	if initrd := cmp.Or(f.initrd, s.Initrd); initrd != "" {
		args = append(args, "-initrd", initrd)
	}
	return append(args, "-append", s.Append)
}

func accelArgument(s guest.Spec, accel string) string {
	if accel == accelTCG {
		return "tcg,thread=multi"
	}
	if s.DirtyRing > 0 {
		return "kvm,dirty-ring-size=" + strconv.Itoa(s.DirtyRing)
	}
	return "kvm"
}

// option quotes a value for QEMU's comma-separated options.
func option(v string) string { return strings.ReplaceAll(v, ",", ",,") }
