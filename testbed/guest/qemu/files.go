package qemu

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// files are the paths of one QEMU process.
type files struct {
	host       string
	qmp, agent string // unix sockets
	console    string
	transcript string
	stderr     string
	command    string // the command line, an argument a line

	serial, firmware string // unix sockets: the console and the firmware's log of a start that is observed
	memory           string // the guest's memory, where Spec.Start.MemoryFile is set
	uefi             string // the firmware's image
	trace            string // what QEMU reads of the disk's images; "" is not written
	initrd           string // a copy of Spec.Initrd that needs a pad; "" is that itself
}

func filesFor(s guest.Spec, host string, n int) files {
	tag := fmt.Sprintf("%s-%d", host, n) // a guest that comes back to a host is another process there
	f := files{
		host:       host,
		qmp:        s.Dir + "/" + tag + ".qmp",
		agent:      s.Dir + "/" + tag + ".agent",
		console:    s.LogDir + "/console-" + tag + ".log",
		transcript: s.LogDir + "/qmp-" + tag + ".log",
		stderr:     s.LogDir + "/qemu-" + tag + ".stderr",
		command:    s.LogDir + "/qemu-" + tag + ".command",
		serial:     s.Dir + "/" + tag + ".serial",
		firmware:   s.Dir + "/" + tag + ".fw",
		memory:     s.Start.MemoryFile,
	}
	return f
}

// claim makes the files of the guest's next QEMU on h its own: guests may share their directories.
func (i *instance) claim(h host.Host, r role) (files, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for {
		i.spawned++
		f := filesFor(i.spec, h.Name(), i.spawned)
		mine, err := os.OpenFile(f.command, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return f, fmt.Errorf("start qemu on %s: %w", h.Name(), err)
		}
		if err := mine.Close(); err != nil {
			return f, fmt.Errorf("start qemu on %s: %w", h.Name(), err)
		}
		if f.memory != "" && r.incoming && !r.restored {
			f.memory += "." + strconv.Itoa(i.spawned) // its source's file may be on this machine too
		}
		behind, err := fetches(i.spec, h.Name(), r)
		if err != nil {
			return f, err
		}
		if behind {
			f.trace = strings.TrimSuffix(f.command, ".command") + ".trace"
		}
		if needsPad(i.spec) {
			f.initrd = i.spec.Dir + "/" + filepath.Base(f.qmp) + ".initrd"
			if err := padInitrd(i.spec.Initrd, f.initrd); err != nil {
				return f, err
			}
		}
		if uefi(i.spec) {
			f.uefi, err = findUEFI(h.Name())
		}
		return f, err
	}
}
