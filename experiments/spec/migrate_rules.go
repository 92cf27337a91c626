package spec

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

func (c *checker) action() {
	switch kinds := c.e.Action.Kinds(); {
	case len(kinds) == 0:
		c.missing("want an action, such as action: {migrate: {}}", "action")
		return
	case len(kinds) > 1:
		c.want("want one action, not "+strings.Join(kinds, " and "), "action."+kinds[1])
		return
	}
	switch a := c.e.Action; {
	case a.Migrate != nil:
		c.migrate(a.Migrate)
	case a.Boot != nil:
		c.boot(*a.Boot)
	case a.Checkpoint != nil:
		c.checkpoint(*a.Checkpoint)
	case a.Recover != nil:
		c.recovery(*a.Recover)
	case a.Jobs != nil:
		c.jobs(*a.Jobs)
	}
}

func (c *checker) migrate(m *Migrate) {
	const at = "action.migrate."
	if m.DowntimeLimit < millisecond || m.DowntimeLimit > maxDowntime || m.DowntimeLimit%millisecond != 0 {
		c.want(fmt.Sprintf("want whole milliseconds from %s to %s", millisecond, time.Duration(maxDowntime)), at+"downtime-limit")
	}
	if m.MaxBandwidth > 0 && m.MaxBandwidth < minLinkRate {
		c.want(fmt.Sprintf("want at least %s, or 0 for no limit", minLinkRate), at+"max-bandwidth")
	}
	c.algorithm(*m)
	c.faults(*m)
	scripted := c.e.Guest.Driver == "scripted"
	switch {
	case scripted && m.Outage == 0:
		c.want("want action.migrate.outage with it: how long the scripted guest is silent, such as 50ms", at+"outage", "guest.driver")
	case !scripted && m.Outage > 0:
		c.want(fmt.Sprintf("want guest.driver: scripted with this key; the outage of a %s guest is what is measured", c.e.Guest.Driver), at+"outage", "guest.driver")
	case scripted && m.Outage >= m.Timeout:
		c.want(fmt.Sprintf("want less than action.migrate.timeout (%s)", m.Timeout), at+"outage", at+"timeout")
	}
	if m.Timeout <= 0 {
		c.want("want more than 0", at+"timeout")
	}
}

// throughFile are the algorithms that write a file in place of a connection to the destination.
var throughFile = []string{"mapped-ram", "background-snapshot"}

// algorithm checks the parameters of the algorithm against it and against one another.
func (c *checker) algorithm(m Migrate) {
	const at = "action.migrate."
	switch m.Algorithm {
	case "postcopy", "hybrid":
		c.postcopy(m)
	case "xbzrle":
		// QEMU's own rule for xbzrle-cache-size.
		if m.XBZRLECache < page || m.XBZRLECache != powerOfTwo(m.XBZRLECache) {
			c.want("want a power of two of at least 4KiB, such as 64MiB", at+"xbzrle-cache")
		}
	case "auto-converge":
		if m.ThrottleInitial > m.ThrottleMax {
			c.want(fmt.Sprintf("want at most action.migrate.throttle-max (%d)", m.ThrottleMax), at+"throttle-initial", at+"throttle-max")
		}
	case "dirty-limit":
		c.dirtyLimit(m)
	}
	if level := m.CompressionLevel; level > 9 && (m.Algorithm == "compress" || m.Algorithm == "multifd" && m.Compression == "zlib") {
		c.want("want a whole number from 0 to 9: zlib has no other levels", at+"compression-level", at+"compression")
	}
	if m.SwitchoverAck && !m.ReturnPath {
		c.want("want action.migrate.return-path: true with it: the destination answers by that path", at+"switchover-ack", at+"return-path")
	}
	if m.ZeroPageDetection == "multifd" && m.Algorithm != "multifd" {
		c.want("want action.migrate.algorithm: multifd with it; without its channels QEMU detects as legacy does", at+"zero-page-detection", at+"algorithm")
	}
	if slices.Contains(throughFile, m.Algorithm) {
		c.file(m)
	}
	c.diskCopy(m)
}

// postcopy checks when post-copy starts.
func (c *checker) postcopy(m Migrate) {
	const path, algorithm = "action.migrate.postcopy-start", "action.migrate.algorithm"
	rounds, after, notConverging, err := m.PostcopySwitch()
	switch {
	case err != nil:
		c.want(err.Error(), path)
	case m.Algorithm == "hybrid" && rounds == 0 && after == 0 && !notConverging:
		c.want("want rounds, a time or not-converging before it: hybrid is pre-copy first, and from the start it is postcopy", path, algorithm)
	case rounds >= m.MaxRounds:
		c.want(fmt.Sprintf("want fewer than action.migrate.max-rounds (%d)", m.MaxRounds), path, "action.migrate.max-rounds")
	case after >= time.Duration(m.Timeout):
		c.want(fmt.Sprintf("want less than action.migrate.timeout (%s)", m.Timeout), path, "action.migrate.timeout")
	}
	if r := m.PostcopyRecovery; r > 0 && r >= m.Timeout {
		c.want(fmt.Sprintf("want less than action.migrate.timeout (%s)", m.Timeout), "action.migrate.postcopy-recovery", "action.migrate.timeout")
	}
}

// dirtyLimit checks what QEMU asks of the capability dirty-limit: KVM's dirty ring, and a limit in whole MiB/s.
func (c *checker) dirtyLimit(m Migrate) {
	const algorithm = "action.migrate.algorithm"
	if c.e.Guest.Driver == "qemu" && c.e.Guest.QEMU.DirtyRing == 0 {
		c.want("want guest.qemu.dirty-ring with it, such as 4096: dirty-limit holds back the vCPUs at KVM's dirty ring", algorithm, "guest.qemu.dirty-ring")
	}
	if m.DirtyLimit < mib || m.DirtyLimit != Rate(int64(m.DirtyLimit)/mib*mib) {
		c.want("want whole MiB/s, at least 1MiB/s", "action.migrate.dirty-limit")
	}
	if m.DirtyLimitPeriod < millisecond || m.DirtyLimitPeriod > Duration(time.Second) || m.DirtyLimitPeriod%millisecond != 0 {
		// QEMU: x-vcpu-dirty-limit-period must be in the range 1 to 1000 ms.
		c.want("want whole milliseconds from 1ms to 1s", "action.migrate.dirty-limit-period")
	}
}

// file refuses what needs a connection to the destination.
func (c *checker) file(m Migrate) {
	const at, algorithm = "action.migrate.", "action.migrate.algorithm"
	why := "; " + m.Algorithm + " goes through a file"
	if m.TLS {
		c.want("want an algorithm with a connection to encrypt"+why, at+"tls", algorithm)
	}
	if m.ReturnPath {
		c.want("want an algorithm with a connection that answers can take"+why, at+"return-path", algorithm)
	}
}

// diskCopy refuses a disk that the algorithm cannot move.
func (c *checker) diskCopy(m Migrate) {
	d := c.e.Guest.Disk
	if d == nil {
		return
	}
	paths := []string{"guest.disk.storage", "guest.disk", "action.migrate.algorithm"}
	switch {
	case m.Algorithm == "background-snapshot":
		c.want("want no disk with it: background-snapshot saves memory alone, and the disk would run on from it", paths[1:]...)
	case d.Storage != "local":
	case m.Algorithm == "mapped-ram":
		c.want("want shared with it: mapped-ram goes through a file, and there is no destination yet to copy a disk to", paths...)
	case m.Algorithm == "stop-and-copy":
		c.want("want shared with it: stop-and-copy stops the guest before anything is copied, and a disk is copied while it runs", paths...)
	}
}

// faults checks what is done to the migration on purpose.
func (c *checker) faults(m Migrate) {
	const at = "action.migrate."
	if m.CancelAfter > 0 && m.CancelAfter >= m.Timeout {
		c.want(fmt.Sprintf("want less than action.migrate.timeout (%s)", m.Timeout), at+"cancel-after", at+"timeout")
	}
	if m.KillDestinationAfter > 0 && m.KillDestinationAfter >= m.Timeout {
		c.want(fmt.Sprintf("want less than action.migrate.timeout (%s)", m.Timeout), at+"kill-destination-after", at+"timeout")
	}
	if m.CancelAfter > 0 && m.KillDestinationAfter > 0 {
		c.want("want cancel-after or kill-destination-after, not both: a trial has one end", at+"cancel-after", at+"kill-destination-after")
	}
	if m.CancelAfter > 0 && c.neverCancelled(m) {
		c.want("want rounds, a time or not-converging before post-copy: from the start it is post-copy, which cannot be cancelled", at+"cancel-after", at+"postcopy-start", at+"algorithm")
	}
	if m.KillDestinationAfter > 0 && m.Algorithm == "background-snapshot" {
		c.want("want an algorithm with a destination; background-snapshot has none", at+"kill-destination-after", at+"algorithm")
	}
	if m.PauseAfterRounds > 0 && m.PauseAfterRounds >= m.MaxRounds {
		c.want(fmt.Sprintf("want fewer than action.migrate.max-rounds (%d)", m.MaxRounds), at+"pause-after-rounds", at+"max-rounds")
	}
}

// neverCancelled reports whether post-copy begins before anything could be cancelled. The copy of a local disk, which comes
// before the memory, can be.
func (c *checker) neverCancelled(m Migrate) bool {
	if m.Algorithm != "postcopy" || movesDisk(c.e) {
		return false
	}
	rounds, after, notConverging, err := m.PostcopySwitch()
	return err == nil && rounds == 0 && after == 0 && !notConverging
}
