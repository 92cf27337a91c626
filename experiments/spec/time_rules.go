package spec

import (
	"fmt"
	"math"
	"time"
)

// times checks that a trial can end before its own timeout.
func (c *checker) times() {
	e := c.e
	if e.Timeout <= 0 {
		c.want("want more than 0", "timeout")
		return
	}
	kind := e.Action.Kind()
	if kind == "" {
		return
	}
	took := e.Action.longest()
	beside, after := c.beside()
	sum := beside.Seconds() + time.Duration(e.Warmup).Seconds() + time.Duration(e.Baseline).Seconds() + took.seconds + time.Duration(e.Quiesce).Seconds()
	if sum < time.Duration(e.Timeout).Seconds() {
		return
	}
	paths := append([]string{"timeout"}, took.paths...)
	c.want(fmt.Sprintf("want a timeout of the trial (now %s) above warmup %s + baseline %s + %s + quiesce %s + %s to %s",
		e.Timeout, e.Warmup, e.Baseline, took.text, e.Quiesce, beside, after), append(paths, "baseline", "warmup", "quiesce", "guest.disk")...)
}

// beside is what the trial may take beside what the experiment says, and for what. The first trial that begins warm boots too.
func (c *checker) beside() (time.Duration, string) {
	disk := c.diskAllowance()
	switch a := c.e.Action; {
	case a.Migrate != nil:
		return allowance + disk, "boot, cancel and verify"
	case !a.Fleet():
		return allowance + disk, "boot and verify"
	case c.e.Guest.Start == "cold":
		return fleetAllowance + disk, "make ready and check"
	default: // one on each host, one after the other
		saved := time.Duration(a.fleetHosts()) * bootAllowance
		return saved + fleetAllowance + disk, "boot what guests go on from, make ready and check"
	}
}

// fleetHosts is how many hosts the action starts guests on.
func (a Action) fleetHosts() int {
	switch {
	case a.Boot != nil:
		return a.Boot.Hosts
	case a.Jobs != nil:
		return a.Jobs.Hosts
	}
	return 0
}

// A span is the longest that an action may take, how that comes about, and the keys that say so, the one that says most first.
type span struct {
	seconds float64
	text    string
	paths   []string
}

// longest is a's span by its own limits.
func (a Action) longest() span {
	switch {
	case a.Migrate != nil:
		return span{a.Migrate.Timeout.Seconds(), "action.migrate.timeout " + a.Migrate.Timeout.String(), []string{"action.migrate.timeout"}}
	case a.Boot != nil:
		return span{a.Boot.Timeout.Seconds(), "action.boot.timeout " + a.Boot.Timeout.String(), []string{"action.boot.timeout"}}
	case a.Jobs != nil:
		return span{a.Jobs.Timeout.Seconds(), "action.jobs.timeout " + a.Jobs.Timeout.String(), []string{"action.jobs.timeout"}}
	case a.Checkpoint != nil:
		return a.Checkpoint.longest()
	case a.Recover != nil:
		return a.Recover.longest()
	}
	return span{}
}

func (k Checkpoint) longest() span {
	const at = "action.checkpoint."
	each := max(k.Timeout.Seconds(), k.Interval.Seconds())
	s := span{each * float64(k.Count-1), "", []string{at + "timeout", at + "count", at + "interval"}}
	s.seconds += k.Timeout.Seconds()
	s.text = fmt.Sprintf("%d checkpoints with an interval of %s and a timeout of %s", k.Count, k.Interval, k.Timeout)
	if k.Count == 1 {
		s.text = fmt.Sprintf("a checkpoint with a timeout of %s", k.Timeout)
	}
	if k.Restore != "none" {
		s.seconds += k.Timeout.Seconds()
		s.text += " and as much to restore"
	}
	return s
}

func (r Recover) longest() span {
	const at = "action.recover."
	if r.Failures == 0 {
		return span{r.For.Seconds() + r.Timeout.Seconds(), fmt.Sprintf("action.recover.for %s + timeout %s", r.For, r.Timeout), []string{at + "for", at + "timeout"}}
	}
	n := float64(r.Failures)
	gaps, wait := n, ""
	if r.Arrivals == "poisson" {
		// The sum of n exponential gaps has the mean n and the deviation √n: one run in ten thousand exceeds this.
		gaps, wait = n+4*math.Sqrt(n)+5, " on average"
	}
	return span{
		gaps*r.Every.Seconds() + n*(r.DetectAfter.Seconds()+r.Timeout.Seconds()),
		fmt.Sprintf("action.recover.failures %d × (every %s%s + %s to detect + timeout %s)", r.Failures, r.Every, wait, r.DetectAfter, r.Timeout),
		[]string{at + "failures", at + "timeout", at + "every"},
	}
}
