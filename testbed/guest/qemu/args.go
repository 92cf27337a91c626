package qemu

import (
	"fmt"
	"strconv"
	"strings"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
)

// DefaultBinary is the QEMU that runs when the experiment names none.
const DefaultBinary = "qemu-system-x86_64"

const defaultMachine = "q35"

// files are the paths of one QEMU process.
type files struct {
	host       string
	qmp, agent string // unix sockets
	console    string
	transcript string
	stderr     string
	command    string // the command line, an argument a line
}

func filesFor(s guest.Spec, host string, n int) files {
	tag := fmt.Sprintf("%s-%d", host, n) // a guest that comes back to a host is another process there
	return files{
		host:       host,
		qmp:        s.Dir + "/" + tag + ".qmp",
		agent:      s.Dir + "/" + tag + ".agent",
		console:    s.LogDir + "/console-" + tag + ".log",
		transcript: s.LogDir + "/qmp-" + tag + ".log",
		stderr:     s.LogDir + "/qemu-" + tag + ".stderr",
		command:    s.LogDir + "/qemu-" + tag + ".command",
	}
}

// arguments is QEMU's command line for s. Both ends of a migration get the same devices, in the same order, as
// the stream demands; only the incoming one waits for it.
func arguments(s guest.Spec, accel string, f files, r role) []string {
	machine := s.Machine
	if machine == "" {
		machine = defaultMachine
	}
	cpu := "host"
	if accel == accelTCG {
		cpu = "max"
	}
	args := []string{
		"-name", option(s.Name) + ",debug-threads=on",
		"-machine", option(machine), "-accel", accelArgument(s, accel), "-cpu", cpu,
		"-smp", strconv.Itoa(s.VCPUs), "-m", fmt.Sprintf("size=%dk", s.Memory/1024),
		"-nodefaults", "-no-user-config", "-display", "none",
		"-no-reboot", // a guest that crashes ends, and is seen to end
		"-kernel", s.Kernel, "-initrd", s.Initrd, "-append", s.Append,
		"-qmp", "unix:" + option(f.qmp) + ",server=on,wait=off",
		"-chardev", "file,id=console,path=" + option(f.console), "-serial", "chardev:console",
		"-netdev", "tap,id=net0,ifname=" + option(s.NIC.Tap) + ",script=no,downscript=no",
		// No option ROM: the kernel is loaded directly, and not every installation has the ROMs.
		"-device", "virtio-net-pci,netdev=net0,romfile=,mac=" + s.NIC.MAC,
		"-device", "virtio-serial-pci",
		"-chardev", "socket,id=agent,path=" + option(f.agent) + ",server=on,wait=off",
		"-device", "virtserialport,chardev=agent,name=" + agent.Port,
	}
	args = append(args, diskArguments(s, f.host, r.incoming)...)
	if s.Root != "" {
		args = append(args,
			// Both ends read the one image at the same time, so nobody locks it.
			"-blockdev", "driver=raw,node-name=root0,read-only=on,file.driver=file,file.locking=off,file.filename="+option(s.Root),
			"-device", "virtio-blk-pci,drive=root0,serial=virtscope-root,romfile=",
		)
	}
	args = append(args, memoryArguments(s, r)...)
	if r.incoming {
		args = append(args, "-incoming", "defer")
	}
	return args
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
