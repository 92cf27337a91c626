package spec

import (
	"fmt"
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

	// QEMU takes the downtime limit as whole milliseconds up to 2000 s (MAX_MIGRATE_DOWNTIME).
	maxDowntime = Duration(2000 * time.Second)
	millisecond = Duration(time.Millisecond)
)

// treatment checks one treatment.
func (c *checker) treatment() {
	c.link("testbed.link", c.e.Testbed.Link)
	if l := c.e.Testbed.MigrationLink; l != nil {
		c.link("testbed.migration-link", *l)
	}
	c.guest()
	c.workload()
	c.probes()
	c.action()
	c.times()
}

func (c *checker) link(at string, l Link) {
	if l.Rate > 0 && l.Rate < minLinkRate {
		c.want(fmt.Sprintf("want at least %s, or 0 for no limit", minLinkRate), at+".rate")
	}
	if l.Rate > 0 && l.Queue <= 0 {
		c.want("want more than 0: a rate limit without a queue drops everything", at+".queue", at+".rate")
	}
	if l.Jitter > l.Delay {
		c.want(fmt.Sprintf("want a jitter of at most the delay (%s)", l.Delay), at+".jitter", at+".delay")
	}
}

func (c *checker) guest() {
	g := c.e.Guest
	if g.Check%page != 0 {
		c.want("want whole pages of 4KiB, or 0 for no check", "guest.check")
	}
	if g.Driver != "qemu" {
		return // the scripted guest is a process: it has no memory of its own to fit into
	}
	if g.Memory%mib != 0 {
		c.want("want whole MiB, such as "+(g.Memory/mib*mib+mib).String(), "guest.memory")
	}
	need, sum := GuestFloor, GuestFloor.String()+" for the kernel and the agent"
	paths := []string{"guest.memory"}
	if c.e.Workload.Kind == "dirty" {
		need, sum = need+c.e.Workload.WorkingSet, sum+" + workload.working-set "+c.e.Workload.WorkingSet.String()
		paths = append(paths, "workload.working-set")
	}
	if g.Check > 0 {
		need, sum = need+g.Check, sum+" + guest.check "+g.Check.String()
		paths = append(paths, "guest.check")
	}
	if need < 0 { // the sum overflowed
		c.want("want amounts that fit into a guest's memory", paths[1:]...)
	} else if g.Memory < need {
		c.want(fmt.Sprintf("want guest.memory (now %s) of at least %s: %s", g.Memory, (need+mib-1)/mib*mib, sum), paths...)
	}
}

func (c *checker) workload() {
	w := c.e.Workload
	if w.Kind != "dirty" {
		return
	}
	switch {
	case !c.set("workload.rate") && w.Rate == 0:
		c.want("want workload.rate with it: how fast dirty writes memory, such as 8MiB/s", "workload.kind", "workload.rate")
	case w.Rate < page:
		c.want("want at least 4KiB/s: one page a second", "workload.rate", "workload.kind")
	}
	if w.WorkingSet < page || w.WorkingSet%page != 0 {
		c.want("want whole pages of 4KiB, at least one", "workload.working-set")
	}
}

func (c *checker) probes() {
	p := c.e.Probes
	if p.Echo.Interval < minEcho {
		c.want(fmt.Sprintf("want at least %s", minEcho), "probes.echo.interval")
	}
	if p.Usage.Interval < minSample {
		c.want(fmt.Sprintf("want at least %s", minSample), "probes.usage.interval")
	}
	if p.Energy.Interval > 0 && p.Energy.Interval < minSample {
		c.want(fmt.Sprintf("want at least %s, or 0 to turn the probe off", minSample), "probes.energy.interval")
	}
	if c.e.Baseline/baselineProbes < p.Echo.Interval {
		c.want(fmt.Sprintf("want a baseline (now %s) of at least %d × probes.echo.interval (%s): it is the noise floor",
			c.e.Baseline, baselineProbes, p.Echo.Interval), "baseline", "probes.echo.interval")
	}
}

func (c *checker) action() {
	m := c.e.Action.Migrate
	if m == nil {
		c.missing("want an action, such as action: {migrate: {}}", "action")
		return
	}
	const at = "action.migrate."
	if m.DowntimeLimit < millisecond || m.DowntimeLimit > maxDowntime || m.DowntimeLimit%millisecond != 0 {
		c.want(fmt.Sprintf("want whole milliseconds from %s to %s", millisecond, time.Duration(maxDowntime)), at+"downtime-limit")
	}
	if m.MaxBandwidth > 0 && m.MaxBandwidth < minLinkRate {
		c.want(fmt.Sprintf("want at least %s, or 0 for no limit", minLinkRate), at+"max-bandwidth")
	}
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

// allowance is what a trial may take beside what the experiment says, at the runner's own limits: 90 s to boot, 10 s to end a
// migration that is cancelled, 30 s to verify the memory. A trial timeout that cuts into it would make slow migrations
// invalid, and leave only the fast ones.
const allowance = 130 * time.Second

// times checks that a trial can end before its own timeout.
func (c *checker) times() {
	e := c.e
	m := e.Action.Migrate
	if e.Timeout <= 0 {
		c.want("want more than 0", "timeout")
		return
	}
	if m == nil {
		return
	}
	sum := allowance.Seconds() + time.Duration(e.Warmup).Seconds() + time.Duration(e.Baseline).Seconds() + time.Duration(m.Timeout).Seconds() + time.Duration(e.Quiesce).Seconds()
	if sum < time.Duration(e.Timeout).Seconds() {
		return
	}
	c.want(fmt.Sprintf("want a timeout of the trial (now %s) above warmup %s + baseline %s + action.migrate.timeout %s + quiesce %s + %s to boot, cancel and verify",
		e.Timeout, e.Warmup, e.Baseline, m.Timeout, e.Quiesce, allowance), "timeout", "action.migrate.timeout", "baseline", "warmup", "quiesce")
}
