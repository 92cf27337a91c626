package main

import (
	"fmt"
	"os"
	"path/filepath"
	"virtscope/experiments/spec"
	"virtscope/testbed"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/qemu"
	"virtscope/testbed/image"
)

// Values of guest.start and guest.image.
const (
	startWarm      = "warm"
	startSubstrate = "substrate"
	imageBuiltin   = "builtin"
	imageDebian    = "debian"
)

// own is what a guest has of its own, beside what its experiment says of all.
type own struct {
	name        string
	nic         guest.NIC
	dir, logDir string
	memory      int64 // B; 0 is the experiment's
}

// specOf is a guest of the trial without a disk.
func (s *site) specOf(o own) guest.Spec {
	g := s.trial.Spec.Guest
	img := s.lab.bootable(s.trial.Spec)
	spec := guest.Spec{
		Name: o.name, Memory: int64(g.Memory), VCPUs: g.VCPUs,
		Kernel: img.kernel, Initrd: img.initrd, Append: img.words(o),
		Binary: g.QEMU.Binary, DestinationBinary: g.QEMU.DestinationBinary, Accel: g.Accel, Machine: g.QEMU.Machine,
		DirtyRing: g.QEMU.DirtyRing,
		Root:      s.lab.rootOf(s.trial.Spec).Path,
		NIC:       o.nic,
		Dir:       o.dir, LogDir: o.logDir,
		Start: guest.Start{
			Boot: g.Boot, Firmware: g.Firmware, HugePages: hugePages[g.HugePages], Prealloc: g.Prealloc,
			NoAgent: g.OwnImage(), Observe: s.trial.Spec.Action.Fleet(),
		},
	}
	if s.lab.calm {
		spec.Append += " " + image.CalmParam
	}
	if o.memory > 0 {
		spec.Memory = o.memory
	}
	if spec.Start.Observe && g.Boot != guest.BootFirmware {
		spec.Append += qemu.ObserveAppend(spec.Machine, spec.Start.Boot)
	}
	if g.Boot == guest.BootFirmware {
		spec.Start.OEMString = img.identity(o)
	}
	return spec
}

// hugePages are the values of guest.huge-pages, in B.
var hugePages = map[string]int64{"none": 0, "2MiB": 2 << 20, "1GiB": 1 << 30}

// folders makes the folders of one guest among several: for sockets, whose path must be short, and for logs.
func (s *site) folders(name string) (dir, logDir string, err error) {
	dir, logDir = filepath.Join(s.scratch, name), filepath.Join(s.dir, name)
	for _, d := range []string{dir, logDir} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return "", "", fmt.Errorf("make a folder of %s: %w", name, err)
		}
	}
	return dir, logDir, nil
}

// keepsMemoryFile reports whether the guest's memory must be a file from the boot on.
func keepsMemoryFile(s *spec.Experiment) bool {
	save := saving(s)
	return save != nil && save.Format == guest.FormatMemoryFile
}

// saving is how an experiment's action saves its guest; nil if it does not.
func saving(s *spec.Experiment) *spec.Saving {
	switch a := s.Action; {
	case a.Checkpoint != nil:
		return &a.Checkpoint.Save
	case a.Recover != nil:
		return &a.Recover.Save
	}
	return nil
}

// diskAt is a guest's only disk, at one path on every host that it may run on.
func diskAt(path, format string, size int64, hosts ...string) *guest.Disk {
	d := &guest.Disk{Size: size, Format: format, Shared: true, Paths: map[string]string{}}
	for _, h := range hosts {
		d.Paths[h] = path
	}
	return d
}

var bothEnds = []string{testbed.Source, testbed.Destination}

// inMemory reports whether a trial keeps something in this machine's memory.
func inMemory(s *spec.Experiment) bool {
	save := saving(s)
	return s.Guest.Start == startSubstrate || save != nil && (save.Format == guest.FormatMemoryFile || save.To == "memory")
}
