package spec

import (
	"fmt"
	"reflect"
	"time"
)

// The bounds below are rules of the language. Those that come from elsewhere say from where.
const (
	// GuestFloor is the memory that a guest needs beside what the experiment asks for: the kernel and its data,
	// the initramfs, which is in memory twice while it is unpacked, and the agent. A 256 MiB guest with Debian's
	// cloud kernel 6.1 had 24,000 non-zero pages (94 MiB) at its migration; the floor is the next power of two,
	// since a guest that runs out of memory is a failed trial that says nothing about migration.
	GuestFloor Bytes = 128 << 20

	page = 4 << 10 // B: memory is dirtied, checked and migrated in pages
	mib  = 1 << 20

	// Below this a rate-limited link passes less than a full frame every 1.5 s, and no guest gets ready.
	minLinkRate Rate = 1000

	minEcho   = Duration(100 * time.Microsecond) // 10,000 probes a second is what one sender keeps up with
	minSample = Duration(10 * time.Millisecond)  // sampling faster costs more than 1 % of a core
	// The baseline has to hold enough echo probes for its longest gap to mean something.
	baselineProbes = 10
	baselineBins   = 5 // and enough bins of the load to compare with

	// QEMU takes the downtime limit as whole milliseconds up to 2000 s (MAX_MIGRATE_DOWNTIME).
	maxDowntime = Duration(2000 * time.Second)
	millisecond = Duration(time.Millisecond)
)

// treatment checks one treatment.
func (c *checker) treatment() {
	c.testbed()
	c.guest()
	c.start()
	c.provision()
	c.memory()
	c.disk()
	c.workload()
	c.load()
	c.probes()
	c.action()
	c.times()
}

// scaledProblems are the treatment's problems. Where the experiment is scaled, those of an amount or a rate say so, since the
// file has other figures.
func (c *checker) scaledProblems(scale float64) Problems {
	if scale == 1 {
		return c.problems
	}
	for i, p := range c.problems {
		f, ok := grammar().at(p.Path)
		if ok && (f.typ == reflect.TypeFor[Bytes]() || f.typ == reflect.TypeFor[Rate]()) {
			c.problems[i].Want += fmt.Sprintf(" (at a scale of %s)", trim(scale))
		}
	}
	return c.problems
}

// allowance is what a trial may take beside what the experiment says, at the runner's own limits: 90 s to boot, 10 s to end a
// migration that is cancelled, 60 s to verify the memory. A trial timeout that cuts into it would make slow migrations
// invalid, and leave only the fast ones. The migration's own timeout holds its post-copy and the copy of a disk too.
const allowance = bootAllowance + 70*time.Second

const (
	bootAllowance  = 90 * time.Second
	fleetAllowance = 60 * time.Second // to make templates and image servers, and to ask many guests who they are
)

// diskAllowance is what filling the disk before the boot may take.
func (c *checker) diskAllowance() time.Duration {
	if c.e.Guest.Disk == nil {
		return 0
	}
	seconds := float64(c.e.Guest.Disk.Size) * c.e.Guest.Disk.Filled / slowDisk
	return time.Duration(min(seconds, 1e9) * float64(time.Second)).Round(time.Second)
}

// slowDisk is the rate in B/s at which even a slow machine makes random data and writes it.
const slowDisk = 50e6
